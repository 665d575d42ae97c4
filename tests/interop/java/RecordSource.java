import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import kieker.common.record.IMonitoringRecord;
import kieker.common.record.factory.CachedRecordFactoryCatalog;
import kieker.common.record.io.IValueDeserializer;

/** Records of any class with random values; the fields that have a meaning for traces are as those of a probe. */
final class RecordSource implements IValueDeserializer {

	private static final String[] TEXTS = { "public void a.B.c(int)", "größer €", "\ud83d\udc0d", " b ", "x,y", "-1", "" };

	private final Random random;
	private final boolean isAscii;

	RecordSource(final long seed, final boolean isAscii) {
		this.random = new Random(seed);
		this.isAscii = isAscii;
	}

	/** One record of each class. */
	static List<IMonitoringRecord> each(final List<String> classes, final long seed, final boolean isAscii) {
		final RecordSource source = new RecordSource(seed, isAscii);
		final List<IMonitoringRecord> records = new ArrayList<>();
		for (final String name : classes) {
			final IMonitoringRecord record = CachedRecordFactoryCatalog.getInstance().get(name).create(source);
			if (!record.getClass().getName().equals(name)) {
				throw new IllegalStateException(name + " became " + record.getClass());
			}
			records.add(record);
		}
		return records;
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

	/** Lengths of arrays are among the ints, so all of these are small. */
	@Override
	public int getInt() {
		return this.random.nextInt(20);
	}

	@Override
	public long getLong() {
		return this.random.nextInt(4) == 0 ? Long.MAX_VALUE - this.random.nextInt(2) : this.random.nextLong() >>> 1;
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

	/** Only of 1.13. */
	public byte[] getBytes(final byte[] target) {
		this.random.nextBytes(target);
		return target;
	}

	@Override
	public String getString() {
		final String text = TEXTS[this.random.nextInt(TEXTS.length)];
		return this.isAscii ? text.replaceAll("[^\\x20-\\x7e]", "?") : text;
	}

	/** Not of 1.13, so it does not say that it overrides. */
	public <T extends Enum<T>> T getEnumeration(final Class<T> type) {
		return type.getEnumConstants()[this.random.nextInt(type.getEnumConstants().length)];
	}
}
