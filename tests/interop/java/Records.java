import java.io.PrintStream;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

import kieker.common.record.IMonitoringRecord;
import kieker.common.record.io.TextValueSerializer;
import kieker.monitoring.core.controller.IMonitoringController;
import kieker.monitoring.core.controller.MonitoringController;

/**
 * Gives records of all classes named to Kieker's monitoring controller, which writes or sends them as its properties
 * (-Dkieker.monitoring...) say, and prints each as Kieker's own text.
 *
 *   java Records SEED ROUNDS ascii|unicode CLASS...
 */
public final class Records {

	private Records() {}

	public static void main(final String[] arguments) throws Exception {
		final List<String> classes = Arrays.asList(arguments).subList(3, arguments.length);
		final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
		final IMonitoringController controller = MonitoringController.getInstance();
		for (int round = 0; round < Integer.parseInt(arguments[1]); round++) {
			final long seed = Long.parseLong(arguments[0]) + round;
			for (final IMonitoringRecord record : RecordSource.each(classes, seed, arguments[2].equals("ascii"))) {
				if (!controller.newMonitoringRecord(record)) {
					throw new IllegalStateException("Kieker does not take " + record);
				}
				out.println(text(record));
			}
		}
		controller.terminateMonitoring();
		controller.waitForTermination(30000);
		out.flush();
	}

	private static String text(final IMonitoringRecord record) {
		final CharBuffer fields = CharBuffer.allocate(1 << 16);
		record.serialize(TextValueSerializer.create(fields));
		return record.getClass().getName() + ";" + record.getLoggingTimestamp() + fields.flip();
	}
}
