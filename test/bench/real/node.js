// Objects, strings, maps, regular expressions, typed arrays and closures: what
// programs for Node do, long enough for its optimizing compiler.
const records = [];
for (let i = 0; i < 150000; i++)
	records.push({ id: i, name: "record " + (i * 7919 % 10007), tags: [i % 3, i % 5, i % 7] });
const groups = new Map();
for (const r of records) {
	const key = r.tags.join("-");
	groups.set(key, (groups.get(key) || 0) + r.name.length);
}
console.log(groups.size, [...groups.values()].reduce((a, b) => a + b));
const text = JSON.stringify(records.slice(0, 40000));
console.log(text.length, JSON.parse(text).filter((r) => r.id % 9 === 0).length, (text.match(/7\d*3/g) || []).length);
const sieve = new Uint8Array(6000000);
let primes = 0;
for (let i = 2; i < sieve.length; i++) {
	if (sieve[i])
		continue;
	primes++;
	for (let k = i * 2; k < sieve.length; k += i)
		sieve[k] = 1;
}
console.log(primes);
let x = 0.5, sum = 0;
for (let i = 0; i < 30000000; i++) {
	x = 3.7 * x * (1 - x);
	sum += x;
}
console.log(sum);
