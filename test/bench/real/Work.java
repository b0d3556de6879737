import java.util.*;
import java.util.stream.*;

/** Collections, streams, strings, threads: compiled from its source by the run that is measured. */
public class Work {
	record Item(int id, String name, int group) {}

	public static void main(String[] arguments) throws Exception {
		List<Item> items = IntStream.range(0, 300000)
			.mapToObj(i -> new Item(i, "item " + (i * 7919L % 10007), i % 97)).collect(Collectors.toList());
		Map<Integer, Integer> groups = new TreeMap<>(items.stream()
			.collect(Collectors.groupingBy(Item::group, Collectors.summingInt(i -> i.name().length()))));
		System.out.println(groups.hashCode());
		StringBuilder text = new StringBuilder();
		for (Item item : items)
			if (item.id() % 11 == 0)
				text.append(item.name()).append(',');
		System.out.println(text.length() + " " + text.toString().split(",").length);
		long[] sums = new long[4];
		Thread[] threads = new Thread[sums.length];
		for (int t = 0; t < threads.length; t++) {
			int n = t;
			threads[t] = new Thread(() -> {
				for (int i = 0; i < 20000000; i++)
					sums[n] = sums[n] * 31 + (i ^ n);
			});
			threads[t].start();
		}
		for (Thread thread : threads)
			thread.join();
		System.out.println(Arrays.toString(sums));
	}
}
