import java.util.concurrent.atomic.AtomicLong;

import kieker.analysis.generic.source.rewriter.NoneTraceMetadataRewriter;
import kieker.analysis.generic.source.tcp.MultipleConnectionTcpSourceStage;
import kieker.common.record.IMonitoringRecord;
import kieker.common.record.flow.trace.operation.BeforeOperationEvent;

import teetime.framework.AbstractConsumerStage;
import teetime.framework.Configuration;
import teetime.framework.Execution;

/**
 * What MooBench has at the other end of a connection: Kieker's receiver of TCP, and a stage that counts.
 *
 *   java CountingReceiver PORT
 *
 * At the end of its standard input it waits until some time has passed without a record, and says how many there were.
 */
public final class CountingReceiver {

	/** MooBench's. */
	private static final int BUFFER_BYTES = 8192;
	private static final long QUIET_MS = 300;

	private CountingReceiver() {}

	private static final class Counter extends AbstractConsumerStage<IMonitoringRecord> {
		private final AtomicLong records = new AtomicLong();
		private final AtomicLong befores = new AtomicLong();

		@Override
		protected void execute(final IMonitoringRecord record) {
			// One thread adds.
			this.records.lazySet(this.records.get() + 1);
			if (record instanceof BeforeOperationEvent) {
				this.befores.lazySet(this.befores.get() + 1);
			}
		}
	}

	public static void main(final String[] arguments) throws Exception {
		final MultipleConnectionTcpSourceStage source = new MultipleConnectionTcpSourceStage(Integer.parseInt(arguments[0]),
				BUFFER_BYTES, new NoneTraceMetadataRewriter());
		final Counter counter = new Counter();
		new Execution<>(new Configuration() {
			{
				this.connectPorts(source.getOutputPort(), counter.getInputPort());
			}
		}).executeNonBlocking();
		while (System.in.read() >= 0) {
			continue;
		}
		long before = -1;
		while (before != counter.records.get()) {
			before = counter.records.get();
			Thread.sleep(QUIET_MS);
		}
		System.out.println("records " + counter.records.get() + " befores " + counter.befores.get());
		System.exit(0); // the receiver does not end
	}
}
