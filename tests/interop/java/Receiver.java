import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.concurrent.atomic.AtomicLong;

import kieker.analysis.generic.sink.DataSink;
import kieker.analysis.generic.source.rewriter.NoneTraceMetadataRewriter;
import kieker.analysis.generic.source.tcp.MultipleConnectionTcpSourceStage;
import kieker.common.record.IMonitoringRecord;
import kieker.monitoring.core.configuration.ConfigurationFactory;
import kieker.monitoring.writer.filesystem.FileWriter;

import teetime.framework.Configuration;
import teetime.framework.Execution;
import teetime.stage.basic.AbstractFilter;

/**
 * Kieker's collector, whose main class is not published: its receiver of TCP and its sink, which writes a log.
 *
 *   java Receiver PORT FOLDER
 *
 * Says "ready", then, at the end of its standard input, waits until a second has passed without a record, and says how many there
 * were.
 */
public final class Receiver {

	/** The default of Kieker's collector. */
	private static final int BUFFER_BYTES = 1 << 20;

	private Receiver() {}

	private static final class Counter extends AbstractFilter<IMonitoringRecord> {
		private final AtomicLong records = new AtomicLong();

		@Override
		protected void execute(final IMonitoringRecord record) {
			this.outputPort.send(record);
			this.records.incrementAndGet();
		}
	}

	public static void main(final String[] arguments) throws Exception {
		Files.createDirectories(Paths.get(arguments[1]));
		final kieker.common.configuration.Configuration configuration = ConfigurationFactory.createDefaultConfiguration();
		configuration.setProperty("kieker.monitoring.writer", FileWriter.class.getName());
		configuration.setProperty("kieker.monitoring.metadata", "false");
		// The receiver drops the time that the sender gave, and without one trace analysis takes no trace.
		configuration.setProperty("kieker.monitoring.setLoggingTimestamp", "true");
		configuration.setProperty(FileWriter.CONFIG_PATH, arguments[1]);
		final MultipleConnectionTcpSourceStage source = new MultipleConnectionTcpSourceStage(Integer.parseInt(arguments[0]),
				BUFFER_BYTES, new NoneTraceMetadataRewriter());
		final Counter counter = new Counter();
		final DataSink sink = new DataSink(configuration);
		new Execution<>(new Configuration() {
			{
				this.connectPorts(source.getOutputPort(), counter.getInputPort());
				this.connectPorts(counter.getOutputPort(), sink.getInputPort());
			}
		}).executeNonBlocking();
		System.out.println("ready");
		while (System.in.read() >= 0) {
			continue;
		}
		long before = -1;
		while (before != counter.records.get()) {
			before = counter.records.get();
			Thread.sleep(1000);
		}
		System.out.println("records " + before);
		System.exit(0); // the receiver does not end; Kieker writes what it has
	}
}
