import java.io.IOException;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares the classes generated from the models with Kieker's own of the same names: whatever a program could use of them, the
 * values of constants, serialVersionUID, and the private fields, which are what Java's own serialization writes.
 *
 *   java CompareClasses GENERATED KIEKER.jar
 */
public final class CompareClasses {

	/** What Kieker has in its packages of records that does not come from a model. */
	private static final List<String> HAND_WRITTEN = Arrays.asList("kieker.common.record.AbstractMonitoringRecord",
			"kieker.common.record.IMonitoringRecord", "kieker.common.record.misc.RegistryRecord");
	/** Models of Kieker whose classes are in no published jar. */
	private static final String NOT_PUBLISHED = "kieker.tools.opad.record.";

	private int compared;
	private int differences;

	private CompareClasses() {}

	public static void main(final String[] arguments) throws Exception {
		final Path generated = Paths.get(arguments[0]);
		final Path jar = Paths.get(arguments[1]);
		final URL[] theirs = { jar.toUri().toURL() };
		final URL[] ours = { generated.toUri().toURL(), theirs[0] };
		final ClassLoader parent = ClassLoader.getPlatformClassLoader();
		final CompareClasses comparison = new CompareClasses();
		try (URLClassLoader left = new URLClassLoader(ours, parent); URLClassLoader right = new URLClassLoader(theirs, parent)) {
			final TreeSet<String> names = generatedNames(generated);
			for (final String name : names) {
				comparison.compareClass(name, left, right);
			}
			comparison.findForgotten(names, jar, right);
		}
		System.out.println(comparison.compared + " classes compared, " + comparison.differences + " differences");
		System.exit(comparison.differences == 0 && comparison.compared > 0 ? 0 : 1);
	}

	private static TreeSet<String> generatedNames(final Path folder) throws IOException {
		try (Stream<Path> files = Files.walk(folder)) {
			return files.map(file -> folder.relativize(file).toString()).filter(file -> file.endsWith(".class"))
					.map(file -> file.substring(0, file.length() - 6).replace('/', '.')).collect(Collectors.toCollection(TreeSet::new));
		}
	}

	private void report(final String text) {
		this.differences++;
		System.out.println("FAIL: " + text);
	}

	private void findForgotten(final TreeSet<String> names, final Path jar, final ClassLoader loader) throws Exception {
		final Class<?> record = loader.loadClass("kieker.common.record.IMonitoringRecord");
		try (JarFile file = new JarFile(jar.toFile())) {
			for (final Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements();) {
				final String path = entries.nextElement().getName();
				final String name = path.replace('/', '.').replaceAll("\\.class$", "");
				if (path.startsWith("kieker/common/record/") && path.endsWith(".class") && !names.contains(name)
						&& !HAND_WRITTEN.contains(name) && record.isAssignableFrom(loader.loadClass(name))) {
					this.report(name + " comes from no model");
				}
			}
		}
	}

	private void compareClass(final String name, final ClassLoader left, final ClassLoader right) throws Exception {
		final Class<?> ours = left.loadClass(name);
		final Class<?> theirs;
		try {
			theirs = right.loadClass(name);
		} catch (final ClassNotFoundException e) {
			if (!name.startsWith(NOT_PUBLISHED)) {
				this.report(name + " is not one of Kieker's");
			}
			return;
		}
		if (ours.getClassLoader() != left || theirs.getClassLoader() != right) {
			this.report(name + " was loaded from the wrong place");
		}
		this.compared++;
		final Map<String, String> expected = describe(theirs);
		final Map<String, String> found = describe(ours);
		final TreeSet<String> keys = new TreeSet<>(expected.keySet());
		keys.addAll(found.keySet());
		for (final String key : keys) {
			if (!String.valueOf(expected.get(key)).equals(found.get(key))) {
				this.report(name + ": " + key + ": Kieker has " + expected.get(key) + ", generated is " + found.get(key));
			}
		}
	}

	private static Map<String, String> describe(final Class<?> type) throws Exception {
		final Map<String, String> result = new TreeMap<>();
		result.put("class", Modifier.toString(type.getModifiers()) + " extends " + type.getGenericSuperclass() + " implements "
				+ Arrays.toString(type.getGenericInterfaces()));
		for (final Field field : type.getDeclaredFields()) {
			result.put("field " + field.getName(), field.toGenericString() + " = " + valueOf(field));
		}
		for (final Constructor<?> constructor : type.getDeclaredConstructors()) {
			result.put("constructor " + Arrays.toString(constructor.getGenericParameterTypes()), constructor.toGenericString());
		}
		for (final Method method : type.getDeclaredMethods()) {
			if (!Modifier.isPrivate(method.getModifiers()) && !method.isSynthetic()) {
				result.put("method " + method.getName() + Arrays.toString(method.getGenericParameterTypes()), method.toGenericString());
			}
		}
		// The order of private fields is that of the properties.
		result.put("fields", Stream.of(type.getDeclaredFields()).filter(field -> !Modifier.isStatic(field.getModifiers()))
				.map(Field::getName).collect(Collectors.toList()).toString());
		return result;
	}

	private static Object valueOf(final Field field) throws IllegalAccessException {
		if (!Modifier.isStatic(field.getModifiers())) {
			return "";
		}
		AccessibleObject.setAccessible(new AccessibleObject[] { field }, true);
		final Object value = field.get(null);
		return value != null && value.getClass().isArray() ? elements(value) : value;
	}

	private static List<Object> elements(final Object array) {
		return Stream.iterate(0, i -> i + 1).limit(Array.getLength(array)).map(i -> Array.get(array, i))
				.collect(Collectors.collectingAndThen(Collectors.toList(), Collections::unmodifiableList));
	}
}
