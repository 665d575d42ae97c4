import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.concurrent.atomic.AtomicLong;

import kieker.analysis.generic.source.rewriter.NoneTraceMetadataRewriter;
import kieker.analysis.generic.source.tcp.MultipleConnectionTcpSourceStage;
import kieker.common.record.IMonitoringRecord;
import kieker.monitoring.core.configuration.ConfigurationFactory;
import kieker.monitoring.core.controller.IMonitoringController;
import kieker.monitoring.core.controller.MonitoringController;
import kieker.monitoring.writer.filesystem.FileWriter;

import teetime.framework.AbstractConsumerStage;
import teetime.framework.Configuration;
import teetime.framework.Execution;

/**
 * Kieker's collector, whose main class is not published: its receiver of TCP and what its sink does, which is to
 * give records to a monitoring controller, which writes a log.
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

	/** Kieker's own sink has no way to wait until its records are written. */
	private static final class Sink extends AbstractConsumerStage<IMonitoringRecord> {
		private final AtomicLong records = new AtomicLong();
		private final IMonitoringController controller;

		Sink(final kieker.common.configuration.Configuration configuration) {
			this.controller = MonitoringController.createInstance(configuration);
		}

		@Override
		protected void execute(final IMonitoringRecord record) {
			this.controller.newMonitoringRecord(record);
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
		final Sink sink = new Sink(configuration);
		new Execution<>(new Configuration() {
			{
				this.connectPorts(source.getOutputPort(), sink.getInputPort());
			}
		}).executeNonBlocking();
		System.out.println("ready");
		while (System.in.read() >= 0) {
			continue;
		}
		long before = -1;
		while (before != sink.records.get()) {
			before = sink.records.get();
			Thread.sleep(1000);
		}
		System.out.println("records " + before);
		sink.controller.terminateMonitoring();
		sink.controller.waitForTermination(60000);
		System.exit(0); // the receiver does not end
	}
}
