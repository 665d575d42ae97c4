# The workload with no tool beside it.
import workload

print(workload.main())
