import java.util.Map;
import java.util.TreeMap;

import kieker.common.record.controlflow.OperationExecutionRecord;
import kieker.common.record.flow.trace.TraceMetadata;
import kieker.common.record.flow.trace.operation.AfterOperationEvent;
import kieker.common.record.flow.trace.operation.AfterOperationFailedEvent;
import kieker.common.record.flow.trace.operation.BeforeOperationEvent;
import kieker.common.record.flow.trace.operation.constructor.AfterConstructorEvent;
import kieker.common.record.flow.trace.operation.constructor.BeforeConstructorEvent;
import kieker.common.record.flow.trace.operation.constructor.object.AfterConstructorObjectEvent;
import kieker.common.record.flow.trace.operation.constructor.object.BeforeConstructorObjectEvent;
import kieker.common.record.flow.trace.operation.object.AfterOperationFailedObjectEvent;
import kieker.common.record.flow.trace.operation.object.AfterOperationObjectEvent;
import kieker.common.record.flow.trace.operation.object.BeforeOperationObjectEvent;
import kieker.monitoring.core.controller.IMonitoringController;
import kieker.monitoring.core.controller.MonitoringController;

/**
 * What probes of any Kieker since 1.10 write of a program, through Kieker's monitoring controller. Prints the calls of each
 * operation.
 *
 *   java Calls TRACES events|objects|executions
 */
public final class Calls {

	private static final String HOST = "host1";
	private static final String SESSION = "session 1";
	private static final int DEPTH = 4;

	private final IMonitoringController controller = MonitoringController.getInstance();
	private final Map<String, Integer> counts = new TreeMap<>();
	private final String form;
	private long now = 1700000000000000000L;
	private long trace;
	private int order;
	private int execution;

	private Calls(final String form) {
		this.form = form;
	}

	public static void main(final String[] arguments) throws Exception {
		final Calls calls = new Calls(arguments[1]);
		for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
			calls.trace(i);
		}
		calls.controller.terminateMonitoring();
		calls.controller.waitForTermination(30000);
		calls.counts.forEach((name, count) -> System.out.println(count + " " + name));
	}

	private void trace(final int number) {
		this.trace = 0x123400000000L + number;
		this.order = 0;
		this.execution = 0;
		if (!this.form.equals("executions")) {
			this.controller.newMonitoringRecord(new TraceMetadata(this.trace, 1 + number % 3, SESSION, HOST, this.trace, -1));
		}
		this.call(0);
	}

	/** A tree of calls: each has two, those on odd levels fail. */
	private void call(final int depth) {
		final String type = "org.example.Level" + depth;
		final String name = depth == 2 ? "public " + type + ".<init>(java.lang.String,int[])" : "public static int " + type + ".work(int)";
		this.counts.merge(name, 1, Integer::sum);
		final int index = this.execution++;
		final long begin = this.time();
		this.enter(depth, begin, name, type);
		for (int i = 0; i < 2 && depth < DEPTH; i++) {
			this.call(depth + 1);
		}
		final long end = this.time();
		this.leave(depth, end, name, type);
		if (this.form.equals("executions")) {
			this.controller.newMonitoringRecord(new OperationExecutionRecord(name, SESSION, this.trace, begin, end, HOST, index, depth));
		}
	}

	private long time() {
		this.now += 1000;
		return this.now;
	}

	private void enter(final int depth, final long at, final String name, final String type) {
		if (this.form.equals("events")) {
			this.controller.newMonitoringRecord(depth == 2 ? new BeforeConstructorEvent(at, this.trace, this.order++, name, type)
					: new BeforeOperationEvent(at, this.trace, this.order++, name, type));
		} else if (this.form.equals("objects")) {
			this.controller.newMonitoringRecord(depth == 2 ? new BeforeConstructorObjectEvent(at, this.trace, this.order++, name, type, depth)
					: new BeforeOperationObjectEvent(at, this.trace, this.order++, name, type, depth));
		}
	}

	private void leave(final int depth, final long at, final String name, final String type) {
		final String cause = "java.lang.IllegalStateException: level " + depth;
		if (this.form.equals("events")) {
			this.controller.newMonitoringRecord(depth == 2 ? new AfterConstructorEvent(at, this.trace, this.order++, name, type)
					: depth % 2 == 1 ? new AfterOperationFailedEvent(at, this.trace, this.order++, name, type, cause)
							: new AfterOperationEvent(at, this.trace, this.order++, name, type));
		} else if (this.form.equals("objects")) {
			this.controller.newMonitoringRecord(depth == 2 ? new AfterConstructorObjectEvent(at, this.trace, this.order++, name, type, depth)
					: depth % 2 == 1 ? new AfterOperationFailedObjectEvent(at, this.trace, this.order++, name, type, cause, depth)
							: new AfterOperationObjectEvent(at, this.trace, this.order++, name, type, depth));
		}
	}
}
