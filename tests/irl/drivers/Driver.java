import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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
 * The Java party of roundtrip.py: records as lines of values, as Kieker's bytes and as Kieker's text.
 *
 *   java Driver write VALUES BINARY TEXT MAP
 *   java Driver read-binary BINARY
 *   java Driver read-text TEXT MAP
 *
 * It finds classes by their names in the class path, so they may be those that kprobe made or Kieker's own. Values are read and
 * written by Kieker's own serializers and factories.
 */
public final class Driver {

	private Driver() {}

	public static void main(final String[] arguments) throws Exception {
		final String verb = arguments.length > 0 ? arguments[0] : "";
		if (verb.equals("write") && arguments.length == 5) {
			write(arguments[1], arguments[2], arguments[3], arguments[4]);
		} else if (verb.equals("read-binary") && arguments.length == 2) {
			readBinary(arguments[1]);
		} else if (verb.equals("read-text") && arguments.length == 3) {
			readText(arguments[1], arguments[2]);
		} else {
			System.err.println("usage: Driver write VALUES BINARY TEXT MAP | read-binary BINARY | read-text TEXT MAP");
			System.exit(2);
		}
	}

	// --- what a class says about its records ---

	private static final Map<String, Layout> LAYOUTS = new HashMap<>();

	private static Layout layoutOf(final String className) throws Exception {
		Layout layout = LAYOUTS.get(className);
		if (layout == null) {
			layout = new Layout(className);
			LAYOUTS.put(className, layout);
		}
		return layout;
	}

	/** A class with the properties that travel. */
	private static final class Layout {
		private final String className;
		private final IRecordFactory<? extends IMonitoringRecord> factory;
		private final Class<?>[] types;
		private final Method[] getters;
		/** Of each property: lengths of dimensions, 0 where a record chooses it. */
		private final int[][] dimensions;
		/** The constructor that takes all values that travel and nothing else; null when there is none. */
		private final Constructor<?> constructor;

		Layout(final String className) throws Exception {
			this.className = className;
			this.factory = CachedRecordFactoryCatalog.getInstance().get(className);
			final Class<?> record = Class.forName(className);
			if (this.factory == null || !this.factory.getClass().getName().equals(className + "Factory")) {
				throw new IllegalStateException("Kieker does not find the factory of " + className);
			}
			this.types = this.factory.getValueTypes();
			final String[] names = this.factory.getValueNames();
			this.getters = new Method[this.types.length];
			for (int i = 0; i < this.types.length; i++) {
				this.getters[i] = getter(record, names[i], this.types[i]);
			}
			this.dimensions = this.probeDimensions();
			this.constructor = constructor(record, this.types);
		}

		private static Constructor<?> constructor(final Class<?> record, final Class<?>[] types) {
			try {
				return record.getConstructor(types);
			} catch (final NoSuchMethodException e) {
				return null; // there are properties that do not travel
			}
		}

		/** Names that Java or every record has already are get_name. */
		private static Method getter(final Class<?> record, final String name, final Class<?> type) throws NoSuchMethodException {
			final String capital = Character.toUpperCase(name.charAt(0)) + name.substring(1);
			for (final String candidate : new String[] { "get_" + name, "is" + capital, "get" + capital }) {
				try {
					final Method method = record.getMethod(candidate);
					if (method.getReturnType() == type) {
						return method;
					}
				} catch (final NoSuchMethodException e) {
					continue;
				}
			}
			throw new NoSuchMethodException(record.getName() + " has no getter of " + name);
		}

		/** TYPES does not tell which lengths are fixed: those that stay when a record is read with other lengths. */
		private int[][] probeDimensions() throws Exception {
			final int[][] result = new int[this.types.length][];
			final IMonitoringRecord two = this.factory.create(new ProbeDeserializer(2));
			final IMonitoringRecord three = this.factory.create(new ProbeDeserializer(3));
			for (int i = 0; i < this.types.length; i++) {
				if (this.types[i].isArray()) {
					result[i] = lengths(this.get(two, i), this.types[i], null);
					final int[] others = lengths(this.get(three, i), this.types[i], null);
					for (int j = 0; j < others.length; j++) {
						result[i][j] = result[i][j] == others[j] ? others[j] : 0;
					}
				}
			}
			return result;
		}

		Object get(final IMonitoringRecord record, final int index) throws Exception {
			return this.getters[index].invoke(record);
		}
	}

	private static Class<?> elementType(final Class<?> type) {
		return type.isArray() ? elementType(type.getComponentType()) : type;
	}

	/** The length of each dimension; below one that is empty, what is fixed. */
	private static int[] lengths(final Object array, final Class<?> type, final int[] fixed) {
		final List<Integer> result = new ArrayList<>();
		Object inner = array;
		for (Class<?> each = type; each.isArray(); each = each.getComponentType()) {
			final int length = inner != null ? Array.getLength(inner) : fixed != null ? fixed[result.size()] : 0;
			result.add(length);
			inner = inner != null && length > 0 ? Array.get(inner, 0) : null;
		}
		return result.stream().mapToInt(Integer::intValue).toArray();
	}

	/** Gives a number wherever one is asked for, and so for every length. */
	private static final class ProbeDeserializer implements IValueDeserializer {
		private final int number;

		ProbeDeserializer(final int number) {
			this.number = number;
		}

		@Override
		public boolean getBoolean() {
			return false;
		}

		@Override
		public byte getByte() {
			return 0;
		}

		@Override
		public char getChar() {
			return ' ';
		}

		@Override
		public short getShort() {
			return 0;
		}

		@Override
		public int getInt() {
			return this.number;
		}

		@Override
		public long getLong() {
			return 0;
		}

		@Override
		public float getFloat() {
			return 0;
		}

		@Override
		public double getDouble() {
			return 0;
		}

		@Override
		public String getString() {
			return "";
		}

		@Override
		public <T extends Enum<T>> T getEnumeration(final Class<T> type) {
			return type.getEnumConstants()[0];
		}
	}

	// --- lines of values ---

	/** The tokens of a line, as values and as what a record is read from. */
	private static final class Tokens implements IValueDeserializer {
		private String[] tokens;
		private int next;

		Tokens(final String line) {
			this.tokens = line.split(" ", -1);
		}

		String take() {
			return this.tokens[this.next++];
		}

		boolean isAtEnd() {
			return this.next == this.tokens.length;
		}

		Object scalar(final Class<?> type) {
			final String token = this.take();
			if (type == boolean.class) {
				return token.equals("1");
			} else if (type == byte.class) {
				return Byte.valueOf(token);
			} else if (type == char.class) {
				return (char) Integer.parseInt(token);
			} else if (type == short.class) {
				return Short.valueOf(token);
			} else if (type == int.class) {
				return Integer.valueOf(token);
			} else if (type == long.class) {
				return Long.valueOf(token);
			} else if (type == float.class) {
				return Float.intBitsToFloat(Integer.parseUnsignedInt(token, 16));
			} else if (type == double.class) {
				return Double.longBitsToDouble(Long.parseUnsignedLong(token, 16));
			} else if (type == String.class) {
				return text(token);
			} else {
				return type.getEnumConstants()[Integer.parseInt(token)];
			}
		}

		private static String text(final String token) {
			final byte[] bytes = new byte[token.length() / 2];
			for (int i = 0; i < bytes.length; i++) {
				bytes[i] = (byte) Integer.parseInt(token.substring(1 + 2 * i, 3 + 2 * i), 16);
			}
			return new String(bytes, StandardCharsets.UTF_8);
		}

		int[] shape() {
			final String token = this.take();
			return Arrays.stream(token.substring(1, token.length() - 1).split(",")).mapToInt(Integer::parseInt).toArray();
		}

		Object value(final Class<?> type) {
			return type.isArray() ? this.array(elementType(type), this.shape(), 0) : this.scalar(type);
		}

		private Object array(final Class<?> element, final int[] shape, final int level) {
			final Object array = Array.newInstance(element, Arrays.copyOfRange(shape, level, shape.length));
			for (int i = 0; i < shape[level]; i++) {
				Array.set(array, i, level + 1 < shape.length ? this.array(element, shape, level + 1) : this.scalar(element));
			}
			return array;
		}

		/** From here on it is a deserializer: shapes become the lengths that are read. */
		void asDeserializer(final Layout layout) {
			final List<String> expanded = new ArrayList<>();
			for (int i = 0; i < layout.types.length; i++) {
				int elements = 1;
				if (layout.types[i].isArray()) {
					final int[] shape = this.shape();
					for (int j = 0; j < shape.length; j++) {
						elements *= shape[j];
						if (layout.dimensions[i][j] == 0) {
							expanded.add(Integer.toString(shape[j]));
						}
					}
				}
				for (int j = 0; j < elements; j++) {
					expanded.add(this.take());
				}
			}
			final int left = this.tokens.length - this.next;
			for (int i = 0; i < left; i++) {
				expanded.add(this.take());
			}
			this.tokens = expanded.toArray(new String[0]);
			this.next = 0;
		}

		@Override
		public boolean getBoolean() {
			return (Boolean) this.scalar(boolean.class);
		}

		@Override
		public byte getByte() {
			return (Byte) this.scalar(byte.class);
		}

		@Override
		public char getChar() {
			return (Character) this.scalar(char.class);
		}

		@Override
		public short getShort() {
			return (Short) this.scalar(short.class);
		}

		@Override
		public int getInt() {
			return (Integer) this.scalar(int.class);
		}

		@Override
		public long getLong() {
			return (Long) this.scalar(long.class);
		}

		@Override
		public float getFloat() {
			return (Float) this.scalar(float.class);
		}

		@Override
		public double getDouble() {
			return (Double) this.scalar(double.class);
		}

		@Override
		public String getString() {
			return (String) this.scalar(String.class);
		}

		@Override
		public <T extends Enum<T>> T getEnumeration(final Class<T> type) {
			return type.cast(this.scalar(type));
		}
	}

	private static IMonitoringRecord recordOf(final String line) throws Exception {
		final Tokens tokens = new Tokens(line);
		final Layout layout = layoutOf(tokens.take());
		final long timestamp = tokens.getLong();
		final IMonitoringRecord record;
		if (layout.constructor != null) {
			final Object[] values = new Object[layout.types.length];
			for (int i = 0; i < values.length; i++) {
				values[i] = tokens.value(layout.types[i]);
			}
			record = (IMonitoringRecord) layout.constructor.newInstance(values);
		} else {
			tokens.asDeserializer(layout);
			record = layout.factory.create(tokens);
		}
		if (!tokens.isAtEnd()) {
			throw new IllegalStateException("values are left: " + line);
		}
		record.setLoggingTimestamp(timestamp);
		return record;
	}

	private static String tokenOf(final Object value) {
		if (value == null) {
			return "s";
		} else if (value instanceof Boolean) {
			return (Boolean) value ? "1" : "0";
		} else if (value instanceof Character) {
			return Integer.toString((Character) value);
		} else if (value instanceof Float) {
			return String.format("%08x", Float.floatToIntBits((Float) value));
		} else if (value instanceof Double) {
			return String.format("%016x", Double.doubleToLongBits((Double) value));
		} else if (value instanceof Enum) {
			return Integer.toString(((Enum<?>) value).ordinal());
		} else if (value instanceof String) {
			final StringBuilder hex = new StringBuilder("s");
			for (final byte each : ((String) value).getBytes(StandardCharsets.UTF_8)) {
				hex.append(Character.forDigit(each >> 4 & 15, 16)).append(Character.forDigit(each & 15, 16));
			}
			return hex.toString();
		} else {
			return value.toString();
		}
	}

	private static void appendElements(final StringBuilder line, final Object value) {
		if (value != null && value.getClass().isArray()) {
			for (int i = 0; i < Array.getLength(value); i++) {
				appendElements(line, Array.get(value, i));
			}
		} else {
			line.append(' ').append(tokenOf(value));
		}
	}

	private static String lineOf(final Layout layout, final long timestamp, final IMonitoringRecord record) throws Exception {
		final StringBuilder line = new StringBuilder(layout.className).append(' ').append(timestamp);
		for (int i = 0; i < layout.types.length; i++) {
			final Object value = layout.get(record, i);
			if (layout.types[i].isArray()) {
				line.append(' ').append(Arrays.toString(lengths(value, layout.types[i], layout.dimensions[i])).replace(" ", ""));
			}
			appendElements(line, value);
		}
		return line.toString();
	}

	// --- writing ---

	/** What text cannot carry is replaced: Kieker's own serializer writes it as it is. */
	private static final class LineSerializer extends TextValueSerializer {
		LineSerializer(final CharBuffer buffer) {
			super(buffer);
		}

		@Override
		public void putString(final String value) {
			final StringBuilder text = new StringBuilder();
			int backslashes = 0;
			for (int i = 0; i <= value.length(); i++) {
				final char each = i < value.length() ? value.charAt(i) : 0;
				if ((i == value.length() || each != '\\') && backslashes % 2 == 1) {
					text.append('\\'); // it would take the separator along
				}
				backslashes = each == '\\' ? backslashes + 1 : 0;
				if (i < value.length()) {
					text.append(each == ';' ? ',' : each == '\r' || each == '\n' || each == '\t' ? ' ' : each);
				}
			}
			super.putString(text.toString());
		}
	}

	private static ByteBuffer payload(final IMonitoringRecord record, final WriterRegistry registry) {
		for (int room = 1 << 12;; room *= 4) {
			final ByteBuffer buffer = ByteBuffer.allocate(room);
			try {
				record.serialize(BinaryValueSerializer.create(buffer, registry));
				if (buffer.position() < record.getSize()) {
					throw new IllegalStateException("SIZE is not the minimum: " + record);
				}
				return buffer;
			} catch (final BufferOverflowException e) {
				continue;
			}
		}
	}

	private static String textOf(final IMonitoringRecord record) {
		for (int room = 1 << 12;; room *= 4) {
			final CharBuffer buffer = CharBuffer.allocate(room);
			try {
				record.serialize(new LineSerializer(buffer));
				return buffer.flip().toString();
			} catch (final BufferOverflowException e) {
				continue;
			}
		}
	}

	private static void writeEntry(final DataOutputStream out, final String text, final int id) {
		final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
		try {
			out.writeInt(-1);
			out.writeInt(id);
			out.writeInt(bytes.length);
			out.write(bytes);
		} catch (final IOException e) {
			throw new IllegalStateException(e);
		}
	}

	private static void write(final String values, final String binary, final String text, final String map) throws Exception {
		final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		final DataOutputStream out = new DataOutputStream(bytes);
		final WriterRegistry registry = new WriterRegistry((entry, id) -> writeEntry(out, entry, id));
		final Map<String, Integer> classes = new HashMap<>();
		final StringBuilder lines = new StringBuilder();
		final StringBuilder mapLines = new StringBuilder();
		for (final String line : Files.readAllLines(Paths.get(values), StandardCharsets.UTF_8)) {
			final IMonitoringRecord record = recordOf(line);
			final String className = record.getClass().getName();
			final int id = registry.getId(className);
			final ByteBuffer payload = payload(record, registry);
			out.writeInt(id);
			out.writeLong(record.getLoggingTimestamp());
			out.write(payload.array(), 0, payload.position());
			if (!classes.containsKey(className)) {
				mapLines.append('$').append(classes.size()).append('=').append(className).append('\n');
				classes.put(className, classes.size());
			}
			lines.append('$').append(classes.get(className)).append(';').append(record.getLoggingTimestamp());
			lines.append(textOf(record)).append('\n');
		}
		Files.write(Paths.get(binary), bytes.toByteArray());
		Files.write(Paths.get(text), lines.toString().getBytes(StandardCharsets.UTF_8));
		Files.write(Paths.get(map), mapLines.toString().getBytes(StandardCharsets.UTF_8));
	}

	// --- reading ---

	private static PrintStream openOutput() {
		final OutputStream out = System.out;
		return new PrintStream(out, false);
	}

	private static void readBinary(final String binary) throws Exception {
		final ByteBuffer buffer = ByteBuffer.wrap(Files.readAllBytes(Paths.get(binary)));
		final ReaderRegistry<String> registry = new ReaderRegistry<>();
		final PrintStream out = openOutput();
		while (buffer.hasRemaining()) {
			final int id = buffer.getInt();
			if (id == -1) {
				final int entry = buffer.getInt();
				final byte[] bytes = new byte[buffer.getInt()];
				buffer.get(bytes);
				registry.register(entry, new String(bytes, StandardCharsets.UTF_8));
			} else {
				final Layout layout = layoutOf(registry.get(id));
				final long timestamp = buffer.getLong();
				final IMonitoringRecord record = layout.factory.create(BinaryValueDeserializer.create(buffer, registry));
				out.println(lineOf(layout, timestamp, record));
			}
		}
		out.flush();
	}

	private static void readText(final String text, final String map) throws Exception {
		final Map<String, String> classes = new HashMap<>();
		for (final String line : new String(Files.readAllBytes(Paths.get(map)), StandardCharsets.UTF_8).split("\n")) {
			final int equals = line.indexOf('=');
			if (equals > 0) {
				classes.put(line.substring(0, equals), line.substring(equals + 1));
			}
		}
		final PrintStream out = openOutput();
		final String all = new String(Files.readAllBytes(Paths.get(text)), StandardCharsets.UTF_8);
		for (int at = 0, end; at < all.length(); at = end + 1) {
			end = all.indexOf('\n', at);
			end = end < 0 ? all.length() : end;
			// As Kieker does it: the line's end ends the last value, too.
			final CharBuffer fields = CharBuffer.wrap(all.substring(at, end) + ";");
			final TextValueDeserializer deserializer = TextValueDeserializer.create(fields);
			final Layout layout = layoutOf(classes.get(deserializer.getString()));
			final long timestamp = deserializer.getLong();
			out.println(lineOf(layout, timestamp, layout.factory.create(deserializer)));
			if (fields.hasRemaining()) {
				throw new IllegalStateException("values are left: " + all.substring(at, end));
			}
		}
		out.flush();
	}
}
