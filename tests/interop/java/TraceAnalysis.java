import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

import kieker.analysis.architecture.trace.InvalidEventRecordTraceCounter;
import kieker.analysis.architecture.trace.TraceEventRecords2ExecutionAndMessageTraceStage;
import kieker.analysis.architecture.trace.execution.ExecutionRecordTransformationStage;
import kieker.analysis.architecture.trace.execution.TraceEquivalenceClassFilter;
import kieker.analysis.architecture.trace.execution.TraceEquivalenceClassFilter.TraceEquivalenceClassModes;
import kieker.analysis.architecture.trace.flow.EventRecordTraceReconstructionStage;
import kieker.analysis.architecture.trace.flow.ThreadEvent2TraceEventStage;
import kieker.analysis.architecture.trace.flow.TraceEventRecords;
import kieker.analysis.architecture.trace.reconstruction.TraceReconstructionStage;
import kieker.analysis.architecture.trace.sink.ExecutionTraceWriterFilter;
import kieker.analysis.architecture.trace.sink.InvalidExecutionTraceWriterSink;
import kieker.analysis.architecture.trace.sink.MessageTraceWriterFilter;
import kieker.analysis.generic.DynamicEventDispatcher;
import kieker.analysis.generic.IEventMatcher;
import kieker.analysis.generic.ImplementsEventMatcher;
import kieker.analysis.generic.sink.EquivalenceClassWriter;
import kieker.analysis.generic.time.TimestampFilter;
import kieker.common.record.controlflow.OperationExecutionRecord;
import kieker.common.record.flow.IFlowRecord;
import kieker.model.repository.SystemModelRepository;
import kieker.model.system.model.ExecutionTrace;
import kieker.model.system.model.InvalidExecutionTrace;
import kieker.model.system.model.MessageTrace;
import kieker.tools.source.LogsReaderCompositeStage;
import kieker.visualization.trace.GraphWriterPlugin;
import kieker.visualization.trace.SequenceDiagramFilter;
import kieker.visualization.trace.SequenceDiagramFilter.SDModes;
import kieker.visualization.trace.call.tree.AggregatedAllocationComponentOperationCallTreeFilter;
import kieker.visualization.trace.call.tree.AggregatedAssemblyComponentOperationCallTreeFilter;
import kieker.visualization.trace.call.tree.TraceCallTreeFilter;
import kieker.visualization.trace.dependency.graph.AbstractDependencyGraphFilter;
import kieker.visualization.trace.dependency.graph.ComponentDependencyGraphAllocationFilter;
import kieker.visualization.trace.dependency.graph.ComponentDependencyGraphAssemblyFilter;
import kieker.visualization.trace.dependency.graph.ContainerDependencyGraphFilter;
import kieker.visualization.trace.dependency.graph.OperationDependencyGraphAllocationFilter;
import kieker.visualization.trace.dependency.graph.OperationDependencyGraphAssemblyFilter;

import teetime.framework.AbstractConsumerStage;
import teetime.framework.Configuration;
import teetime.framework.Execution;
import teetime.framework.OutputPort;
import teetime.stage.basic.distributor.Distributor;
import teetime.stage.basic.distributor.strategy.CopyByReferenceStrategy;
import teetime.stage.basic.merger.Merger;

/**
 * Trace analysis of Kieker 2, whose main class is not published, put together from its published stages: all that it prints, and
 * with "plots" all that it draws.
 *
 *   java TraceAnalysis {OUTPUT plots|texts LOG}...
 *
 * Prints for each log how many traces, executions and invalid traces there were. Files have the names that the tool gives them.
 */
public final class TraceAnalysis extends Configuration {

	/** The tool's default. */
	private static final int BUFFER_BYTES = 8192;

	private final SystemModelRepository repository = new SystemModelRepository();
	private final String output;
	private final Distributor<MessageTrace> messageTraces = distributor();
	private final Distributor<ExecutionTrace> executionTraces = distributor();
	private final Distributor<InvalidExecutionTrace> invalidTraces = distributor();
	private final InvalidEventRecordTraceCounter invalidEvents = new InvalidEventRecordTraceCounter(true);
	private final Counter counter = new Counter();

	private TraceAnalysis(final String output, final File log) {
		this.output = output + File.separator;
		final LogsReaderCompositeStage reader = new LogsReaderCompositeStage(log, false, BUFFER_BYTES);
		final ThreadEvent2TraceEventStage threadEvents = new ThreadEvent2TraceEventStage();
		final TimestampFilter times = new TimestampFilter(Long.parseLong(TimestampFilter.CONFIG_PROPERTY_VALUE_MIN_TIMESTAMP),
				Long.parseLong(TimestampFilter.CONFIG_PROPERTY_VALUE_MAX_TIMESTAMP));
		final DynamicEventDispatcher dispatcher = new DynamicEventDispatcher(null, false, true, false);
		final IEventMatcher<? extends IFlowRecord> flowRecords = new ImplementsEventMatcher<>(IFlowRecord.class, null);
		final IEventMatcher<? extends OperationExecutionRecord> executionRecords = new ImplementsEventMatcher<>(
				OperationExecutionRecord.class, null);
		dispatcher.registerOutput(flowRecords);
		dispatcher.registerOutput(executionRecords);
		this.connectPorts(reader.getOutputPort(), threadEvents.getInputPort());
		this.connectPorts(threadEvents.getOutputPort(), times.getMonitoringRecordsCombinedInputPort());
		this.connectPorts(times.getRecordsWithinTimePeriodOutputPort(), dispatcher.getInputPort());

		final Merger<ExecutionTrace> executions = merger(this.executionTraces);
		final Merger<MessageTrace> messages = merger(this.messageTraces);
		final Merger<InvalidExecutionTrace> invalid = merger(this.invalidTraces);
		this.connectExecutionRecords(executionRecords.getOutputPort(), executions, messages, invalid);
		this.connectEvents(flowRecords.getOutputPort(), executions, messages, invalid);
		this.connectPorts(this.executionTraces.getNewOutputPort(), this.counter.getInputPort());
	}

	private static <T> Distributor<T> distributor() {
		return new Distributor<>(new CopyByReferenceStrategy());
	}

	private <T> Merger<T> merger(final Distributor<T> behind) {
		final Merger<T> merger = new Merger<>();
		merger.declareActive();
		this.connectPorts(merger.getOutputPort(), behind.getInputPort());
		return merger;
	}

	private void connectExecutionRecords(final OutputPort<? extends OperationExecutionRecord> records,
			final Merger<ExecutionTrace> executions, final Merger<MessageTrace> messages, final Merger<InvalidExecutionTrace> invalid) {
		final ExecutionRecordTransformationStage transformation = new ExecutionRecordTransformationStage(this.repository);
		transformation.declareActive();
		final TraceReconstructionStage reconstruction = new TraceReconstructionStage(this.repository, TimeUnit.MILLISECONDS, true,
				Long.MAX_VALUE);
		this.connectPorts(records, transformation.getInputPort());
		this.connectPorts(transformation.getOutputPort(), reconstruction.getInputPort());
		this.connectPorts(reconstruction.getExecutionTraceOutputPort(), executions.getNewInputPort());
		this.connectPorts(reconstruction.getMessageTraceOutputPort(), messages.getNewInputPort());
		this.connectPorts(reconstruction.getInvalidExecutionTraceOutputPort(), invalid.getNewInputPort());
	}

	private void connectEvents(final OutputPort<? extends IFlowRecord> records, final Merger<ExecutionTrace> executions,
			final Merger<MessageTrace> messages, final Merger<InvalidExecutionTrace> invalid) {
		final EventRecordTraceReconstructionStage reconstruction = new EventRecordTraceReconstructionStage(TimeUnit.MILLISECONDS, false,
				Long.MAX_VALUE, Long.MAX_VALUE);
		reconstruction.declareActive();
		final Distributor<TraceEventRecords> valid = distributor();
		valid.declareActive();
		final TraceEventRecords2ExecutionAndMessageTraceStage conversion = new TraceEventRecords2ExecutionAndMessageTraceStage(
				this.repository, false, false, false);
		this.connectPorts(records, reconstruction.getTraceRecordsInputPort());
		this.connectPorts(reconstruction.getInvalidTracesOutputPort(), this.invalidEvents.getInputPort());
		this.connectPorts(reconstruction.getValidTracesOutputPort(), valid.getInputPort());
		this.connectPorts(valid.getNewOutputPort(), conversion.getInputPort());
		this.connectPorts(conversion.getExecutionTraceOutputPort(), executions.getNewInputPort());
		this.connectPorts(conversion.getMessageTraceOutputPort(), messages.getNewInputPort());
		this.connectPorts(conversion.getInvalidExecutionTraceOutputPort(), invalid.getNewInputPort());
	}

	private void print() throws Exception {
		final MessageTraceWriterFilter messages = new MessageTraceWriterFilter(this.repository, this.file("messageTraces.txt"));
		final ExecutionTraceWriterFilter executions = new ExecutionTraceWriterFilter(this.repository, this.file("executionTraces.txt"));
		final InvalidExecutionTraceWriterSink invalid = new InvalidExecutionTraceWriterSink(this.repository,
				this.file("invalidTraceArtifacts.txt"));
		this.connectPorts(this.messageTraces.getNewOutputPort(), messages.getInputPort());
		this.connectPorts(this.executionTraces.getNewOutputPort(), executions.getInputPort());
		this.connectPorts(this.invalidTraces.getNewOutputPort(), invalid.getInputPort());
		this.printClasses(TraceEquivalenceClassModes.ALLOCATION, "traceDeploymentEquivClasses.txt");
		this.printClasses(TraceEquivalenceClassModes.ASSEMBLY, "traceAssemblyEquivClasses.txt");
	}

	private void printClasses(final TraceEquivalenceClassModes mode, final String name) {
		final TraceEquivalenceClassFilter classes = new TraceEquivalenceClassFilter(this.repository, mode);
		final EquivalenceClassWriter writer = new EquivalenceClassWriter(this.file(name));
		this.connectPorts(this.executionTraces.getNewOutputPort(), classes.getInputPort());
		this.connectPorts(classes.getEquivalenceMapOutputPort(), writer.getInputPort());
	}

	private void plot() {
		for (final SDModes mode : SDModes.values()) {
			final String name = mode == SDModes.ASSEMBLY ? "assemblySequenceDiagram" : "deploymentSequenceDiagram";
			final SequenceDiagramFilter diagrams = new SequenceDiagramFilter(this.repository, mode, this.output + name, true);
			this.connectPorts(this.messageTraces.getNewOutputPort(), diagrams.getInputPort());
		}
		final TraceCallTreeFilter trees = new TraceCallTreeFilter(this.repository, true, this.output + "callTree");
		this.connectPorts(this.messageTraces.getNewOutputPort(), trees.getInputPort());
		final AggregatedAllocationComponentOperationCallTreeFilter deployed = new AggregatedAllocationComponentOperationCallTreeFilter(
				this.repository, true, true, this.output + "aggregatedDeploymentCallTree.dot");
		this.connectPorts(this.messageTraces.getNewOutputPort(), deployed.getInputPort());
		final AggregatedAssemblyComponentOperationCallTreeFilter assembled = new AggregatedAssemblyComponentOperationCallTreeFilter(
				this.repository, true, true, this.output + "aggregatedAssemblyCallTree.dot");
		this.connectPorts(this.messageTraces.getNewOutputPort(), assembled.getInputPort());
		for (final AbstractDependencyGraphFilter<?> graph : Arrays.asList(
				new ComponentDependencyGraphAllocationFilter(this.repository, TimeUnit.NANOSECONDS),
				new ComponentDependencyGraphAssemblyFilter(this.repository, TimeUnit.NANOSECONDS),
				new ContainerDependencyGraphFilter(this.repository, TimeUnit.NANOSECONDS),
				new OperationDependencyGraphAllocationFilter(this.repository, TimeUnit.NANOSECONDS),
				new OperationDependencyGraphAssemblyFilter(this.repository, TimeUnit.NANOSECONDS))) {
			final GraphWriterPlugin writer = new GraphWriterPlugin(this.output, "", true, true, true);
			this.connectPorts(this.messageTraces.getNewOutputPort(), graph.getInputPort());
			this.connectPorts(graph.getOutputPort(), writer.getInputPort());
		}
	}

	private File file(final String name) {
		return new File(this.output + name);
	}

	private static final class Counter extends AbstractConsumerStage<ExecutionTrace> {
		private long traces;
		private long executions;

		@Override
		protected void execute(final ExecutionTrace trace) {
			this.traces++;
			this.executions += trace.getLength();
		}
	}

	private static void analyse(final String folder, final boolean plots, final String log) throws Exception {
		final Path output = Files.createDirectories(Paths.get(folder));
		final TraceAnalysis analysis = new TraceAnalysis(output.toString(), new File(log));
		analysis.print();
		if (plots) {
			analysis.plot();
		}
		new Execution<>(analysis).executeBlocking();
		analysis.repository.saveSystemToHTMLFile(output.resolve("system-entities.html"));
		System.out.println("traces " + analysis.counter.traces + " executions " + analysis.counter.executions + " invalid "
				+ analysis.invalidEvents.getTotalCount());
	}

	public static void main(final String[] arguments) throws Exception {
		for (int i = 0; i + 2 < arguments.length; i += 3) {
			analyse(arguments[i], arguments[i + 1].equals("plots"), arguments[i + 2]);
		}
	}
}
