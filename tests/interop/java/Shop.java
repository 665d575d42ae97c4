import java.util.ArrayList;
import java.util.List;

/**
 * A program for Kieker's probes: methods, constructors, exceptions, recursion and threads. Prints how often each of its methods was
 * called.
 *
 *   java -javaagent:kieker-aspectj.jar Shop CUSTOMERS THREADS
 */
public final class Shop {

	private Shop() {}

	/** What is sold. */
	static final class Article {
		private final String name;
		private final int price;

		Article(final String name, final int price) {
			this.name = name;
			this.price = price;
		}

		int price(final int pieces) {
			if (pieces <= 0) {
				throw new IllegalArgumentException("no pieces of " + this.name + "; größer als 0 €");
			}
			return this.price * pieces;
		}
	}

	/** What somebody wants. */
	static final class Cart {
		private final List<Article> articles = new ArrayList<>();

		void add(final Article article) {
			this.articles.add(article);
		}

		int total(final int from) {
			return from == this.articles.size() ? 0 : this.articles.get(from).price(from + 1) + this.total(from + 1);
		}

		boolean isRefused() {
			try {
				return this.articles.get(0).price(0) > 0;
			} catch (final IllegalArgumentException e) {
				return true;
			}
		}
	}

	static int serve(final int customer) {
		final Cart cart = new Cart();
		for (int i = 0; i < 3; i++) {
			cart.add(new Article("article " + i, customer + i));
		}
		return cart.isRefused() ? cart.total(0) : -1;
	}

	public static void main(final String[] arguments) throws Exception {
		final int customers = Integer.parseInt(arguments[0]);
		final List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
			threads.add(new Thread(() -> {
				for (int customer = 0; customer < customers; customer++) {
					serve(customer);
				}
			}));
			threads.get(i).start();
		}
		for (final Thread thread : threads) {
			thread.join();
		}
		final int all = customers * threads.size();
		System.out.println("serve " + all + "\nadd " + 3 * all + "\ntotal " + 4 * all + "\nprice " + 4 * all + "\nisRefused " + all);
	}
}
