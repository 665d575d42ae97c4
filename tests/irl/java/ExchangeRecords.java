import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

import kieker.common.record.IMonitoringRecord;
import kieker.common.record.factory.CachedRecordFactoryCatalog;
import kieker.common.record.factory.IRecordFactory;
import kieker.common.record.io.BinaryValueDeserializer;
import kieker.common.record.io.BinaryValueSerializer;
import kieker.common.record.io.IValueDeserializer;
import kieker.common.record.io.TextValueDeserializer;
import kieker.common.record.io.TextValueSerializer;
import kieker.common.registry.reader.ReaderRegistry;
import kieker.common.registry.writer.WriterRegistry;

/**
 * Records with random values go from the generated classes to Kieker's own of the same names and back, in binary and in text form.
 * Both live in this program, each in a class loader of its own.
 *
 *   java ExchangeRecords GENERATED KIEKER.jar:MORE.jar... SEED CLASS...
 */
public final class ExchangeRecords {

	private static final int ROUNDS = 50;

	private ExchangeRecords() {}

	public static void main(final String[] arguments) throws Exception {
		final List<URL> jars = new ArrayList<>();
		for (final String jar : arguments[1].split(":")) {
			jars.add(Paths.get(jar).toUri().toURL());
		}
		jars.add(ExchangeRecords.class.getProtectionDomain().getCodeSource().getLocation());
		final Path generated = Paths.get(arguments[0]);
		final List<URL> withGenerated = new ArrayList<>(jars);
		withGenerated.add(0, generated.toUri().toURL());
		final long seed = Long.parseLong(arguments[2]);
		int exchanged = 0;
		int failures = 0;
		try (URLClassLoader ours = loader(withGenerated); URLClassLoader theirs = loader(jars)) {
			final Function<Object[], Object[]> left = party(ours);
			final Function<Object[], Object[]> right = party(theirs);
			for (final String name : Arrays.copyOfRange(arguments, 3, arguments.length)) {
				if (ours.loadClass(name).getClassLoader() != ours || theirs.loadClass(name).getClassLoader() != theirs
						|| ours.loadClass(name) == theirs.loadClass(name)) {
					throw new IllegalStateException(name + " comes from the wrong place");
				}
				for (int i = 0; i < ROUNDS; i++) {
					failures += exchange(name, left, right, seed + i) + exchange(name, right, left, seed - 1 - i);
					exchanged += 2;
				}
			}
		}
		System.out.println(exchanged + " records exchanged, " + failures + " failures");
		System.exit(failures == 0 && exchanged > 0 ? 0 : 1);
	}

	private static URLClassLoader loader(final List<URL> urls) {
		return new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
	}

	@SuppressWarnings("unchecked")
	private static Function<Object[], Object[]> party(final ClassLoader loader) throws ReflectiveOperationException {
		return (Function<Object[], Object[]>) loader.loadClass("ExchangeRecords$Party").getDeclaredConstructor().newInstance();
	}

	private static int exchange(final String name, final Function<Object[], Object[]> from, final Function<Object[], Object[]> to,
			final long seed) {
		final Object[] written = from.apply(new Object[] { name, seed });
		for (final boolean isText : new boolean[] { false, true }) {
			final Object[] read = to.apply(new Object[] { name, written, isText });
			if (!Arrays.deepEquals(written, read)) {
				System.out.println("FAIL: " + name + (isText ? " as text: " : " in binary: ") + Arrays.deepToString(written) + " became "
						+ Arrays.deepToString(read));
				return 1;
			}
		}
		return 0;
	}

	/**
	 * One side. Only classes of Java itself cross the border: [payload, strings, text, printed] of a new record for [class, seed],
	 * and of one that is read for [class, such an array, from its text?].
	 */
	public static final class Party implements Function<Object[], Object[]> {

		@Override
		public Object[] apply(final Object[] order) {
			final String name = (String) order[0];
			final IRecordFactory<? extends IMonitoringRecord> factory = CachedRecordFactoryCatalog.getInstance().get(name);
			if (!factory.getClass().getName().equals(name + "Factory")) {
				throw new IllegalStateException("no factory of " + name);
			}
			final IMonitoringRecord record = order.length == 2 ? factory.create(new RandomValues((Long) order[1]))
					: factory.create(deserializer((Object[]) order[1], (Boolean) order[2]));
			if (!record.getClass().getName().equals(name)) {
				throw new IllegalStateException(name + " became " + record.getClass());
			}
			record.setLoggingTimestamp(1);
			return describe(record);
		}

		private static IValueDeserializer deserializer(final Object[] written, final boolean isText) {
			if (isText) {
				final CharBuffer text = CharBuffer.wrap(written[2] + ";");
				text.get(); // the separator behind the timestamp
				return TextValueDeserializer.create(text);
			}
			final ReaderRegistry<String> registry = new ReaderRegistry<>();
			final String[] strings = (String[]) written[1];
			for (int i = 0; i < strings.length; i++) {
				registry.register(i, strings[i]);
			}
			return BinaryValueDeserializer.create(ByteBuffer.wrap((byte[]) written[0]), registry);
		}

		private static Object[] describe(final IMonitoringRecord record) {
			final List<String> strings = new ArrayList<>();
			final ByteBuffer payload = ByteBuffer.allocate(1 << 16);
			record.serialize(BinaryValueSerializer.create(payload, new WriterRegistry((text, id) -> strings.add(text))));
			final CharBuffer text = CharBuffer.allocate(1 << 16);
			record.serialize(TextValueSerializer.create(text));
			if (payload.position() < record.getSize()) {
				throw new IllegalStateException("SIZE is not the fewest bytes");
			}
			// Kieker's classes print arrays in a way of their own.
			final boolean hasArrays = Arrays.stream(record.getValueTypes()).anyMatch(Class::isArray);
			return new Object[] { Arrays.copyOf(payload.array(), payload.position()), strings.toArray(new String[0]),
				text.flip().toString(), hasArrays ? "" : record.toString() };
		}
	}

	/** What a record of random values is read from. Lengths of arrays are among the ints, so all of these are small. */
	private static final class RandomValues implements IValueDeserializer {
		private static final String[] TEXTS = { "", "a", "public void a.B.c(int)", "größer €", "\ud83d\udc0d", " b ", "x,y", "-1" };

		private final Random random;

		RandomValues(final long seed) {
			this.random = new Random(seed);
		}

		@Override
		public boolean getBoolean() {
			return this.random.nextBoolean();
		}

		@Override
		public byte getByte() {
			return (byte) this.random.nextInt();
		}

		@Override
		public char getChar() {
			return (char) ('a' + this.random.nextInt(26));
		}

		@Override
		public short getShort() {
			return (short) this.random.nextInt();
		}

		@Override
		public int getInt() {
			return this.random.nextInt(20);
		}

		@Override
		public long getLong() {
			return this.random.nextInt(4) == 0 ? Long.MIN_VALUE + this.random.nextInt(2) : this.random.nextLong();
		}

		@Override
		public float getFloat() {
			return (float) this.getDouble();
		}

		@Override
		public double getDouble() {
			final double[] special = { 0.0, -0.0, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, Double.POSITIVE_INFINITY, 0.1, 1e7 };
			return this.random.nextBoolean() ? special[this.random.nextInt(special.length)] : this.random.nextGaussian();
		}

		@Override
		public String getString() {
			return TEXTS[this.random.nextInt(TEXTS.length)];
		}

		@Override
		public <T extends Enum<T>> T getEnumeration(final Class<T> type) {
			return type.getEnumConstants()[this.random.nextInt(type.getEnumConstants().length)];
		}
	}
}
