import java.lang.reflect.Modifier;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

import kieker.common.exception.RecordInstantiationException;
import kieker.common.record.AbstractMonitoringRecord;
import kieker.common.record.IMonitoringRecord;
import kieker.common.record.factory.CachedRecordFactoryCatalog;
import kieker.common.record.flow.IEventRecord;
import kieker.common.record.io.BinaryValueDeserializer;
import kieker.common.record.io.BinaryValueSerializer;
import kieker.common.record.io.TextValueDeserializer;
import kieker.common.record.io.TextValueSerializer;
import kieker.common.registry.reader.ReaderRegistry;
import kieker.common.registry.writer.WriterRegistry;
import kieker.common.util.Version;

import test.irl.java.other.IElsewhere;
import test.irl.java.other.Shade;
import test.irl.java.types.Address;
import test.irl.java.types.Base;
import test.irl.java.types.Color;
import test.irl.java.types.Counting;
import test.irl.java.types.CountingChild;
import test.irl.java.types.Customer;
import test.irl.java.types.DeepArrays;
import test.irl.java.types.Derived;
import test.irl.java.types.DynamicArrays;
import test.irl.java.types.Empty;
import test.irl.java.types.Extra_Base;
import test.irl.java.types.FixedArrays;
import test.irl.java.types.Hiding;
import test.irl.java.types.IMarker;
import test.irl.java.types.INamed;
import test.irl.java.types.ISecond;
import test.irl.java.types.Ordered;
import test.irl.java.types.Palette;
import test.irl.java.types.Refusing;
import test.irl.java.types.Scalars;

/** What the classes generated from types.irl must do. */
public final class TypesTest {

	private static int checks;
	private static int failures;

	private TypesTest() {}

	public static void main(final String[] arguments) {
		testConstants();
		testEnums();
		testScalars();
		testFixedArrays();
		testDynamicArrays();
		testMissingArrays();
		testDeepArrays();
		testShapes();
		testHostileLengths();
		testCounting();
		testNames();
		testTemplates();
		testPayload();
		testEmpty();
		System.out.println(checks + " checks, " + failures + " failures");
		System.exit(failures == 0 ? 0 : 1);
	}

	// --- what is checked with ---

	private static void same(final String what, final Object expected, final Object found) {
		checks++;
		if (!Objects.deepEquals(expected, found)) {
			failures++;
			System.out.println("FAIL: " + what + ": expected " + Arrays.deepToString(new Object[] { expected }) + ", found "
					+ Arrays.deepToString(new Object[] { found }));
		}
	}

	private interface Action {
		void run();
	}

	private static void fails(final String what, final Class<? extends Throwable> expected, final Action action) {
		Throwable thrown = null;
		try {
			action.run();
		} catch (final RuntimeException | OutOfMemoryError e) {
			thrown = e;
		}
		same(what, expected, thrown == null ? null : thrown.getClass());
	}

	private static byte[] bytesOf(final IMonitoringRecord record, final List<String> strings) {
		final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
		record.serialize(BinaryValueSerializer.create(buffer, new WriterRegistry((text, id) -> strings.add(text))));
		return Arrays.copyOf(buffer.array(), buffer.position());
	}

	private static String textOf(final IMonitoringRecord record) {
		final CharBuffer buffer = CharBuffer.allocate(1 << 16);
		record.serialize(TextValueSerializer.create(buffer));
		return buffer.flip().toString();
	}

	private static BinaryValueDeserializer deserializer(final byte[] bytes, final List<String> strings) {
		final ReaderRegistry<String> registry = new ReaderRegistry<>();
		for (int i = 0; i < strings.size(); i++) {
			registry.register(i, strings.get(i));
		}
		return BinaryValueDeserializer.create(ByteBuffer.wrap(bytes), registry);
	}

	/** A record survives both forms, equals what it was, and prints the same. */
	private static <T extends IMonitoringRecord> T travels(final T record, final int bytes) {
		final String name = record.getClass().getSimpleName();
		final List<String> strings = new ArrayList<>();
		final byte[] written = bytesOf(record, strings);
		same(name + ": bytes", bytes, written.length);
		same(name + ": at least SIZE", true, written.length >= record.getSize());
		same(name + ": as many names as types", record.getValueNames().length, record.getValueTypes().length);
		final IMonitoringRecord read = CachedRecordFactoryCatalog.getInstance().get(record.getClass().getName())
				.create(deserializer(written, strings));
		final CharBuffer text = CharBuffer.wrap(textOf(record) + ";");
		text.get();
		final IMonitoringRecord readText = CachedRecordFactoryCatalog.getInstance().get(record.getClass().getName())
				.create(TextValueDeserializer.create(text));
		for (final IMonitoringRecord other : new IMonitoringRecord[] { read, readText }) {
			other.setLoggingTimestamp(record.getLoggingTimestamp());
			same(name + ": class", record.getClass(), other.getClass());
			same(name + ": equal", true, record.equals(other) && other.equals(record));
			same(name + ": hash code", record.hashCode(), other.hashCode());
			same(name + ": printed", record.toString(), other.toString());
			same(name + ": bytes again", written, bytesOf(other, new ArrayList<>()));
			other.setLoggingTimestamp(record.getLoggingTimestamp() + 1);
			same(name + ": another time", false, record.equals(other));
		}
		for (int length = 0; length < written.length; length++) {
			final byte[] part = Arrays.copyOf(written, length);
			fails(name + ": only " + length + " bytes", BufferUnderflowException.class,
					() -> CachedRecordFactoryCatalog.getInstance().get(record.getClass().getName()).create(deserializer(part, strings)));
		}
		same(name + ": null", false, record.equals(null));
		same(name + ": something else", false, record.equals(new Object()));
		@SuppressWarnings("unchecked")
		final T result = (T) read;
		return result;
	}

	// --- constants and enums ---

	private static void testConstants() {
		same("int", 42, Scalars.ANSWER);
		same("long", Long.MIN_VALUE, Scalars.SMALLEST);
		same("string", "a\"b\\c\n\u0000\u00e9\u2028;", Scalars.QUOTED);
		same("char", '\t', Scalars.TAB);
		same("array", new double[] { 0.1, -1.5e300 }, Scalars.PAIR);
		same("matrix", new String[][] { { "x", "y" }, { "", "z" } }, Scalars.TABLE);
		same("defaults", Arrays.asList(true, (byte) -128, '\u00e9', (short) -32768, 42, Long.MIN_VALUE, 1.5e-3f, 0.1),
				Arrays.asList(Scalars.FLAG, Scalars.SMALL, Scalars.LETTER, Scalars.MIDDLE, Scalars.NUMBER, Scalars.LARGE,
						Scalars.RATIO, Scalars.EXACT));
		same("default of a constant", Scalars.QUOTED, Scalars.TEXT);
		same("default of a string", "", Scalars.PLAIN);
		same("default of an enum", Color.GREEN, Scalars.COLOR);
		same("version", Version.getVERSION(), Scalars.VERSION);
		same("denormal", 1.0e-320, Scalars.HARDLY);
		same("constant of a template", "unnamed", INamed.DEFAULT_NAME);
		same("default of a template's constant", "unnamed", Base.TITLE);
		same("hides java.lang", new int[] { 1 }, test.irl.java.types.String.Values);
	}

	private static void testEnums() {
		same("literals", "[RED, GREEN, value]", Arrays.toString(Color.values()));
		same("values", "[0, 7, 2]", Arrays.toString(Arrays.stream(Color.values()).mapToInt(Color::getValue).toArray()));
		same("inherited literals come behind", "[_default, _enum, RED, GREEN, value]", Arrays.toString(Palette.values()));
		same("values by position in all", "[100, 1, 2, 7, 4]",
				Arrays.toString(Arrays.stream(Palette.values()).mapToInt(Palette::getValue).toArray()));
		same("of another package", "[DARK, LIGHT, RED, GREEN, value]", Arrays.toString(Shade.values()));
		same("by value", Palette.GREEN, Palette.getEnum(7));
		fails("unknown value", RuntimeException.class, () -> Color.getEnum(1));
	}

	// --- types ---

	private static Scalars scalars(final String text, final Color color, final float ratio, final double exact) {
		return new Scalars(true, (byte) -1, '\uffff', (short) -2, Integer.MIN_VALUE, Long.MAX_VALUE, ratio, exact, text, null, color,
				Palette._enum, Shade.LIGHT, null, 1.0);
	}

	private static void testScalars() {
		final Scalars record = travels(scalars("text", Color.RED, 1.5f, -0.0), 1 + 1 + 2 + 2 + 4 + 8 + 4 + 8 + 4 + 4 + 4 + 4 + 4 + 4 + 8);
		same("SIZE", 62, Scalars.SIZE);
		same("fields", Arrays.asList(true, (byte) -1, '\uffff', (short) -2, Integer.MIN_VALUE, Long.MAX_VALUE, 1.5f, -0.0, "text", "",
				Color.RED, Palette._enum, Shade.LIGHT, Version.getVERSION()),
				Arrays.asList(record.isFlag(), record.getSmall(), record.getLetter(), record.getMiddle(), record.getNumber(),
						record.getLarge(), record.getRatio(), record.getExact(), record.getText(), record.getPlain(), record.getColor(),
						record.getPalette(), record.getShade(), record.getVersion()));
		same("null is the default", Scalars.QUOTED, scalars(null, Color.RED, 1, 1).getText());
		same("null is the default of an enum, too", Color.GREEN, scalars("", null, 1, 1).getColor());
		same("other text", false, scalars("a", Color.RED, 1, 1).equals(scalars("b", Color.RED, 1, 1)));
		same("other literal", false, scalars("a", Color.RED, 1, 1).equals(scalars("a", Color.GREEN, 1, 1)));
		same("within tolerance", scalars("a", Color.RED, 1, 1), scalars("a", Color.RED, 1.000001f, 1.000001));
		same("and then with its code", scalars("a", Color.RED, 1, 1).hashCode(), scalars("a", Color.RED, 1, 1.000001).hashCode());
		same("beyond tolerance", false, scalars("a", Color.RED, 1, 1).equals(scalars("a", Color.RED, 1, 1.1)));
		same("types", "[boolean, byte, char, short, int, long, float, double, class java.lang.String, class java.lang.String, "
				+ "class test.irl.java.types.Color, class test.irl.java.types.Palette, class test.irl.java.other.Shade, "
				+ "class java.lang.String, double]", Arrays.toString(Scalars.TYPES));
		same("printed", true, record.toString().startsWith("Scalars: flag = true, small = -1, "));
		final List<String> strings = new ArrayList<>();
		final byte[] bytes = bytesOf(record, strings);
		bytes[47] = 5; // ordinal of palette
		fails("no such literal", RecordInstantiationException.class, () -> new Scalars(deserializer(bytes, strings)));
	}

	private static void testFixedArrays() {
		final FixedArrays record = travels(new FixedArrays(new boolean[] { true, false }, null, new char[] { 'a', '\u2028' },
				new short[] { -3 }, new int[] { 1, 2, 3, -4 }, new long[] { 1, -1 }, new float[] { 0.5f, Float.NEGATIVE_INFINITY },
				new double[] { 0.25, Double.MAX_VALUE }, null, new Color[] { Color.value, Color.RED }), 2 + 3 + 4 + 2 + 16 + 16 + 8 + 16 + 8 + 8);
		same("no lengths travel", 83, FixedArrays.SIZE);
		same("default array", new byte[] { 1, -2, 3 }, record.getBytes());
		same("flags", new boolean[] { true, false }, record.isFlags());
		same("enums", new Color[] { Color.value, Color.RED }, record.getColors());
		final byte[] changed = new FixedArrays(new boolean[2], null, new char[2], new short[1], new int[4], new long[2], new float[2],
				new double[2], null, new Color[2]).getBytes();
		changed[0] = 99;
		same("the default stays what it was", new byte[] { 1, -2, 3 }, FixedArrays.BYTES);
	}

	private static DynamicArrays withDoubles(final double[] doubles) {
		return new DynamicArrays(null, null, null, null, null, null, null, doubles, null, null);
	}

	private static void testMissingArrays() {
		same("both without", withDoubles(null), withDoubles(null));
		same("one without", false, withDoubles(null).equals(withDoubles(new double[0])));
		same("the other without", false, withDoubles(new double[0]).equals(withDoubles(null)));
	}

	private static void testDynamicArrays() {
		final DynamicArrays record = travels(new DynamicArrays(new boolean[0], new byte[] { -128, 127 }, new char[] { 'x' }, new short[0],
				null, new long[5000], new float[] { 1e-20f }, new double[0], new String[] { "a", "", "a" }, new Shade[] { Shade.DARK }),
				4 + 4 + 2 + 4 + 2 + 4 + 4 + 12 + 4 + 40000 + 4 + 4 + 4 + 4 + 12 + 4 + 4);
		same("the fewest bytes are lengths", 40, DynamicArrays.SIZE);
		same("longs", 5000, record.getLongs().length);
		same("texts", new String[] { "a", "", "a" }, record.getTexts());
		same("default", new int[] { 1, 2, 3 }, record.getInts());
		same("names of types", "[class [Z, class [B, class [C, class [S, class [I, class [J, class [F, class [D, "
				+ "class [Ljava.lang.String;, class [Ltest.irl.java.other.Shade;]", Arrays.toString(DynamicArrays.TYPES));
	}

	private static DeepArrays deep(final int[][][] mixed, final int[][] tail, final long[][] matrix, final double[][][] cube,
			final float[][] lines) {
		return new DeepArrays(mixed, tail, matrix, cube, new String[][] { { "a", "b" }, { "c", "d" } },
				new Palette[][] { { Palette._default }, { Palette.value } }, new String[][][][] { { { { "deep" } } } }, lines);
	}

	private static void testDeepArrays() {
		final int[][][] mixed = { { { 1, 2, 3 }, { 4, 5, 6 } }, { { 7, 8, 9 }, { 10, 11, 12 } } };
		final double[][][] cube = { { { 1.5, 2.5 } }, { { 3.5, 4.5 } }, { { 5.5, -0.0 } } };
		final DeepArrays record = travels(deep(mixed, new int[][] { { 1, 2, 3, 4 } }, null, cube, new float[3][1]),
				4 + 48 + 4 + 16 + 8 + 32 + 12 + 48 + 16 + 8 + 8 + 16 + 4 + 4 + 12);
		same("mixed", mixed, record.getMixed());
		same("cube", cube, record.getCube());
		same("default", new long[][] { { 1, 2 }, { 3, 4 } }, record.getMatrix());
		same("SIZE", 4 + 4 + 8 + 12 + 16 + 8 + 16 + 4, DeepArrays.SIZE);
		final DeepArrays empty = travels(deep(new int[2][0][3], new int[0][], new long[0][7], new double[0][][], new float[3][0]),
				4 + 4 + 8 + 12 + 16 + 8 + 8 + 16 + 4 + 4);
		same("nothing in nothing", 0, empty.getCube().length);
		final List<String> strings = new ArrayList<>();
		same("inner lengths of nothing are 0", new byte[20], Arrays.copyOfRange(bytesOf(empty, strings), 8, 28));
		travels(deep(new int[2][0][3], new int[0][], new long[2][0], new double[1][1][0], new float[3][0]),
				4 + 4 + 8 + 12 + 16 + 8 + 8 + 16 + 4 + 4);
		same("other elements", false, deep(mixed, new int[1][4], null, cube, new float[3][1])
				.equals(deep(mixed, new int[1][4], null, cube, new float[][] { { 0 }, { 1 }, { 0 } })));
	}

	private static void testShapes() {
		final int[][][] mixed = new int[2][1][3];
		final double[][][] cube = new double[0][][];
		fails("fixed outside", IllegalArgumentException.class, () -> deep(new int[3][1][3], new int[0][], null, cube, new float[3][1]));
		fails("fixed inside", IllegalArgumentException.class, () -> deep(new int[2][1][2], new int[0][], null, cube, new float[3][1]));
		fails("fixed below dynamic", IllegalArgumentException.class, () -> deep(mixed, new int[2][3], null, cube, new float[3][1]));
		fails("ragged", IllegalArgumentException.class,
				() -> deep(mixed, new int[0][], new long[][] { { 1 }, { 1, 2 } }, cube, new float[3][1]));
		fails("ragged in the middle", IllegalArgumentException.class,
				() -> deep(new int[][][] { new int[1][3], new int[2][3] }, new int[0][], null, cube, new float[3][1]));
		final CountingChild record = child();
		fails("by a setter", IllegalArgumentException.class, () -> record.setTable(new int[3][1]));
		record.setTable(new int[][] { { 5 }, { 6 } });
		same("set", new int[][] { { 5 }, { 6 } }, record.getTable());
	}

	private static void testHostileLengths() {
		final List<String> none = new ArrayList<>();
		final int most = Integer.MAX_VALUE;
		fails("negative", RecordInstantiationException.class, () -> new DynamicArrays(deserializer(ints(-1), none)));
		fails("too long", BufferUnderflowException.class, () -> new DynamicArrays(deserializer(ints(most), none)));
		// lengths of mixed, tail, then of matrix, cube
		fails("too long below", BufferUnderflowException.class, () -> new DeepArrays(deserializer(ints(0, 0, most, most), none)));
		fails("nothing, but much of it", RecordInstantiationException.class,
				() -> new DeepArrays(deserializer(ints(0, 0, most, 0), none)));
		fails("and deeper", RecordInstantiationException.class,
				() -> new DeepArrays(deserializer(ints(0, 0, 0, 0, 1 << 16, 1 << 16, 0), none)));
	}

	private static byte[] ints(final int... values) {
		final ByteBuffer buffer = ByteBuffer.allocate(4 * values.length);
		for (final int value : values) {
			buffer.putInt(value);
		}
		return buffer.array();
	}

	// --- modifiers ---

	private static CountingChild child() {
		return new CountingChild(3, "where", 1.5f, Color.RED, new String[] { "a", "b" }, new int[] { 1 }, null,
				new int[][] { { 1 }, { 2 } }, 77L, Shade.DARK, (short) 4, 5);
	}

	private static void testCounting() {
		final CountingChild record = child();
		same("transient counter", Arrays.asList(5L, 6L, 7L), Arrays.asList(record.getNext(), record.getNext(), record.getNext()));
		same("what travels", "[travels, name, table, last, elsewhere, steps, own]", Arrays.toString(CountingChild.VALUE_NAMES));
		final CountingChild read = travels(record, 4 + 4 + 4 + 8 + 8 + 4 + 2 + 4);
		same("reading, writing, comparing and printing do not count", 3, record.getTravels());
		same("a getter does", 4, record.getTravels());
		same("short counter", (short) 4, record.getSteps());
		same("short counter again", (short) 5, record.getSteps());
		same("counters differ", false, record.equals(child()));
		same("transient values are not compared", true, child().equals(new CountingChild(3, "elsewhere", 2, null, new String[] { "x", "y" },
				null, null, new int[][] { { 1 }, { 2 } }, 77L, Shade.DARK, (short) 4, 5)));
		same("transient string", "", read.getWhere());
		same("transient float", 0.0f, read.getUnit());
		same("transient enum", Color.RED, read.getTone());
		same("transient texts", new String[] { "", "" }, read.getRemarks());
		same("transient array", new int[0], read.getScratch());
		same("counts from the start", 5L, read.getNext());
		same("values of the parent", Arrays.asList("n", 77L, Shade.DARK, 5),
				Arrays.asList(read.getName(), read.getLast(), read.getElsewhere(), read.getOwn()));
		read.setName("m");
		same("changed", "m", read.getName());
		same("template of another package", true, (Object) read instanceof IElsewhere);
		travels(new Counting(1, "", 1, Color.RED, new String[2], null, "x", new int[2][0], 1), 4 + 4 + 4 + 8);
	}

	// --- names and inheritance ---

	private static Derived derived() {
		return new Derived("title", 12L, 13L, new int[] { 1, 2 }, true, 4, 5L, "class", null, 6, 7L, true, new String[] { "v" }, 8, 9.5,
				"static", "null");
	}

	private static void testNames() {
		final Derived record = travels(derived(), 4 + 8 + 8 + 12 + 1 + 4 + 8 + 4 + 4 + 4 + 8 + 1 + 8 + 4 + 8 + 4 + 4);
		same("names", "[title, size, timestamp, base, done, limit, traceId, class, interface, new, loggingTimestamp, valueTypes, "
				+ "valueNames, true_, double, static, null]", Arrays.toString(Derived.VALUE_NAMES));
		same("words of Java", Arrays.asList("if", 6, 9.5, "static", "null"),
				Arrays.asList(record.getInterface(), record.getNew(), record.getDouble(), record.getStatic(), record.getNull()));
		same("methods that records have", Arrays.asList(12L, "class", 7L, true),
				Arrays.asList(record.get_size(), record.get_class(), record.get_loggingTimestamp(), record.isValueTypes()));
		same("SIZE is another thing", Derived.SIZE, record.getSize());
		same("value names", new String[] { "v" }, record.get_valueNames());
		same("alias", Arrays.asList("title", 5L), Arrays.asList(record.getCaption(), record.getThread()));
		same("alias of an array", new int[] { 1, 2 }, record.getBasis());
		same("a class called String", "x", new test.irl.java.types.String("x").getText());
		travels(new test.irl.java.types.Object(3), 4);
		final Hiding hiding = travels(new Hiding(null, new float[] { 1 }, new int[] { 2 }, "o", 3, 4, 5), 4 + 8 + 8 + 4 + 8 + 4 + 4);
		same("fields named like classes", Arrays.asList(Color.RED, "o", 3L), Arrays.asList(hiding.getColor(), hiding.getObjects(), hiding.getLong()));
	}

	private static void testTemplates() {
		final Derived record = derived();
		same("templates", true, record instanceof IMarker && record instanceof ISecond && record instanceof IEventRecord);
		((INamed) record).set_size(99);
		((ISecond) record).setDone(false);
		same("set through templates", Arrays.asList(99L, false), Arrays.asList(record.get_size(), record.isDone()));
		same("abstract", true, Modifier.isAbstract(Base.class.getModifiers()) && Base.class.getSuperclass() == AbstractMonitoringRecord.class);
		same("constant of a parent", 3, Base.LIMIT);
		final Extra_Base extra = travels(new Extra_Base("t", 1, 2, new int[0], "extra"), 4 + 8 + 8 + 4 + 4);
		same("derived event", "extra", extra.getExtra());
		fails("final in the parent", UnsupportedOperationException.class, () -> new Refusing("s", 1).setState("t"));
	}

	// --- payload ---

	/** A customer that says when somebody looks further than the model does. */
	private static final class Known extends AbstractMonitoringRecord implements Customer, Address {
		private static final long serialVersionUID = 1L;

		@Override
		public String getName() {
			return "Ada";
		}

		@Override
		public Address getAddress() {
			return this;
		}

		@Override
		public boolean isVip() {
			return true;
		}

		@Override
		public int[] getCodes() {
			return null;
		}

		@Override
		public double[] getPlace() {
			return new double[] { 1, 2 };
		}

		@Override
		public String[] getTags() {
			return new String[] { "a", "b" };
		}

		@Override
		public String getStreet() {
			return "Road";
		}

		@Override
		public Color getColor() {
			return Color.GREEN;
		}

		@Override
		public void serialize(final kieker.common.record.io.IValueSerializer serializer) {
			throw new UnsupportedOperationException();
		}

		@Override
		public Class<?>[] getValueTypes() {
			throw new UnsupportedOperationException();
		}

		@Override
		public String[] getValueNames() {
			throw new UnsupportedOperationException();
		}

		@Override
		public int getSize() {
			throw new UnsupportedOperationException();
		}
	}

	private static void testPayload() {
		final Known known = new Known();
		same("what travels", "[customerName, customerAddressStreet, customerAddressColor, buyerName, buyerAddressId, buyerVip, "
				+ "buyerCodesId, buyerPlace, buyerTags]", Arrays.toString(Ordered.VALUE_NAMES));
		same("read", Arrays.asList("Ada", "Road", Color.GREEN, System.identityHashCode(known), true, 0),
				Arrays.asList(Ordered.readCustomerName(known), Ordered.readCustomerAddressStreet(known),
						Ordered.readCustomerAddressColor(known), Ordered.readBuyerAddressId(known), Ordered.readBuyerVip(known),
						Ordered.readBuyerCodesId(known)));
		same("arrays", new double[] { 1, 2 }, Ordered.readBuyerPlace(known));
		same("of null", Arrays.asList("", "", Color.RED, 0, false), Arrays.asList(Ordered.readCustomerName(null),
				Ordered.readCustomerAddressStreet(null), Ordered.readCustomerAddressColor(null), Ordered.readBuyerAddressId(null),
				Ordered.readBuyerVip(null)));
		same("arrays of null", new String[] { "", "" }, Ordered.readBuyerTags(null));
		same("place of null", new double[2], Ordered.readBuyerPlace(null));
		travels(new Ordered("n", "s", Color.RED, "b", 1, false, 2, new double[2], new String[] { "", "" }),
				4 + 4 + 4 + 4 + 4 + 1 + 4 + 16 + 8);
	}

	private static void testEmpty() {
		travels(new Empty(), 0);
		same("SIZE", 0, Empty.SIZE);
		same("printed", "Empty: ", new Empty().toString());
	}
}
