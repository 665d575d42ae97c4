import java.io.File;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import kieker.analysis.generic.source.rewriter.NoneTraceMetadataRewriter;
import kieker.analysis.generic.source.tcp.MultipleConnectionTcpSourceStage;
import kieker.common.configuration.Configuration;
import kieker.common.record.IMonitoringRecord;
import kieker.common.record.misc.KiekerMetadataRecord;
import kieker.monitoring.core.configuration.ConfigurationFactory;
import kieker.monitoring.core.controller.IMonitoringController;
import kieker.monitoring.core.controller.MonitoringController;
import kieker.monitoring.writer.filesystem.BinaryLogStreamHandler;
import kieker.monitoring.writer.filesystem.FileWriter;
import kieker.monitoring.writer.filesystem.TextLogStreamHandler;
import kieker.monitoring.writer.filesystem.TextMapFileHandler;
import kieker.monitoring.writer.tcp.SingleSocketTcpWriter;
import kieker.tools.source.LogsReaderCompositeStage;

import teetime.framework.AbstractConsumerStage;
import teetime.framework.Execution;
import teetime.stage.CollectorSink;

import test.irl.java.other.Shade;
import test.irl.java.types.Color;
import test.irl.java.types.CountingChild;
import test.irl.java.types.DeepArrays;
import test.irl.java.types.Derived;
import test.irl.java.types.DynamicArrays;
import test.irl.java.types.Empty;
import test.irl.java.types.FixedArrays;
import test.irl.java.types.Palette;
import test.irl.java.types.Scalars;

/**
 * Records of generated classes in original Kieker: its monitoring controller writes them into a log or to a socket, its analysis
 * reads them there.
 *
 *   java LogRecords FOLDER
 */
public final class LogRecords {

	private LogRecords() {}

	public static void main(final String[] arguments) throws Exception {
		boolean allSame = true;
		for (final Class<?> handler : new Class<?>[] { TextLogStreamHandler.class, BinaryLogStreamHandler.class }) {
			final Path folder = Files.createDirectories(Paths.get(arguments[0], handler.getSimpleName()));
			final List<IMonitoringRecord> written = records();
			writeLog(folder, handler, written);
			allSame &= compare(handler.getSimpleName(), written, readLog(folder));
		}
		final List<IMonitoringRecord> sent = records();
		final List<IMonitoringRecord> received = sendAndReceive(sent);
		for (int i = 0; i < sent.size() && i + 1 < received.size(); i++) {
			received.get(i + 1).setLoggingTimestamp(sent.get(i).getLoggingTimestamp()); // Kieker's reader drops it
		}
		allSame &= compare(SingleSocketTcpWriter.class.getSimpleName(), sent, received);
		System.exit(allSame ? 0 : 1); // Kieker's reader does not end
	}

	/** Kieker writes a record of its own before the others. */
	private static boolean compare(final String way, final List<IMonitoringRecord> written, final List<IMonitoringRecord> read) {
		final boolean hadMetadata = !read.isEmpty() && read.remove(0) instanceof KiekerMetadataRecord;
		final boolean same = hadMetadata && written.equals(read);
		System.out.println(way + ": " + read.size() + " records read, " + (same ? "the same" : "DIFFERENT"));
		if (!same) {
			System.out.println("FAIL: written " + written + "\n  read " + read);
		}
		return same;
	}

	private static List<IMonitoringRecord> records() {
		final List<IMonitoringRecord> records = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			records.add(new Scalars(true, (byte) i, 'c', (short) -i, i, Long.MIN_VALUE + i, i / 8.0f, -i / 16.0, "text " + i, null,
					Color.GREEN, Palette._enum, Shade.values()[i % 5], "1", 2.5));
			records.add(new FixedArrays(new boolean[2], null, new char[] { 'a', 'b' }, new short[1], new int[] { i, 2, 3, 4 }, new long[2],
					new float[2], new double[2], new String[] { "x", "y" + i }, new Color[] { Color.value, Color.RED }));
			records.add(new DynamicArrays(new boolean[i % 3], new byte[i % 5], new char[0], new short[1], null, new long[i], new float[2],
					new double[0], new String[] { "a", "b " + i }, new Shade[] { Shade.DARK }));
			records.add(new DeepArrays(new int[2][i % 2][3], new int[i % 4][4], null, new double[i % 3][2][1],
					new String[][] { { "a", "b" }, { "c", "d" } }, new Palette[][] { { Palette._default } }, new String[0][][][],
					new float[3][i % 2]));
			records.add(new CountingChild(i, "", 1.5f, Color.RED, new String[] { "", "" }, new int[0], "name", new int[2][2], 77L,
					Shade.LIGHT, (short) 4, 5));
			records.add(new Derived("title", 12L, i, new int[] { 1, 2 }, true, 4, 5L, "class", null, 6, 7L, true, new String[] { "v" }, 8,
					9.5, "static", "null"));
			records.add(new Empty());
		}
		// The last one is as short as it can be: a reader that waits for more bytes never gives it.
		records.add(new DynamicArrays(new boolean[0], new byte[0], new char[0], new short[0], new int[0], new long[0], new float[0],
				new double[0], new String[0], new Shade[0]));
		return records;
	}

	private static void writeLog(final Path folder, final Class<?> handler, final List<IMonitoringRecord> records) throws Exception {
		final Configuration configuration = ConfigurationFactory.createDefaultConfiguration();
		configuration.setProperty("kieker.monitoring.writer", FileWriter.class.getName());
		configuration.setProperty(FileWriter.CONFIG_PATH, folder.toString());
		configuration.setProperty(FileWriter.CONFIG_LOG_STREAM_HANDLER, handler.getName());
		configuration.setProperty(FileWriter.CONFIG_MAP_FILE_HANDLER, TextMapFileHandler.class.getName());
		write(configuration, records);
	}

	private static void write(final Configuration configuration, final List<IMonitoringRecord> records) throws Exception {
		configuration.setProperty("kieker.monitoring.metadata", "true");
		final IMonitoringController controller = MonitoringController.createInstance(configuration);
		for (final IMonitoringRecord record : records) {
			if (!controller.newMonitoringRecord(record)) {
				throw new IllegalStateException("Kieker does not take " + record);
			}
		}
		controller.terminateMonitoring();
		controller.waitForTermination(60000);
	}

	private static List<IMonitoringRecord> readLog(final Path folder) throws Exception {
		final List<File> logs;
		try (Stream<Path> files = Files.walk(folder)) {
			logs = files.filter(file -> file.toString().endsWith(".map")).map(file -> file.getParent().toFile())
					.collect(Collectors.toList());
		}
		final CollectorSink<IMonitoringRecord> sink = new CollectorSink<>();
		final LogsReaderCompositeStage reader = new LogsReaderCompositeStage(logs, false, 1 << 16);
		new Execution<>(new teetime.framework.Configuration() {
			{
				this.connectPorts(reader.getOutputPort(), sink.getInputPort());
			}
		}).executeBlocking();
		return new ArrayList<>(sink.getElements());
	}

	/** What comes out of Kieker's reader. */
	private static final class Sink extends AbstractConsumerStage<IMonitoringRecord> {
		private final BlockingQueue<IMonitoringRecord> records = new LinkedBlockingQueue<>();

		@Override
		protected void execute(final IMonitoringRecord record) {
			this.records.add(record);
		}
	}

	private static List<IMonitoringRecord> sendAndReceive(final List<IMonitoringRecord> records) throws Exception {
		final int port;
		try (ServerSocket socket = new ServerSocket(0)) {
			port = socket.getLocalPort();
		}
		final Sink sink = new Sink();
		final MultipleConnectionTcpSourceStage reader = new MultipleConnectionTcpSourceStage(port, 1 << 16, new NoneTraceMetadataRewriter());
		new Execution<>(new teetime.framework.Configuration() {
			{
				this.connectPorts(reader.getOutputPort(), sink.getInputPort());
			}
		}).executeNonBlocking();
		final Configuration configuration = ConfigurationFactory.createDefaultConfiguration();
		configuration.setProperty("kieker.monitoring.writer", SingleSocketTcpWriter.class.getName());
		configuration.setProperty(SingleSocketTcpWriter.CONFIG_PORT, Integer.toString(port));
		configuration.setProperty(SingleSocketTcpWriter.CONFIG_CONN_TIMEOUT_IN_MS, "30000");
		write(configuration, records);
		final List<IMonitoringRecord> received = new ArrayList<>();
		while (received.size() < 1 + records.size()) {
			final IMonitoringRecord record = sink.records.poll(30, TimeUnit.SECONDS);
			if (record == null) {
				break; // the reader waits for bytes that do not come
			}
			received.add(record);
		}
		return received;
	}
}
