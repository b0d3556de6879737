# What Perl programs do: regular expressions, hashes, sorting, split and join.
use strict;
use warnings;

my $state = 1;
sub random { $state = ($state * 1103515245 + 12345) % 2147483648; return $state >> 16; }

my @names = map { chr(97 + random() % 26) . chr(97 + random() % 26) . random() % 50 } 1 .. 500;
my @lines = map { sprintf "%s %d.%d.%d.%d \"GET /%s/%d\" %d", $names[random() % 500], random() % 256,
	random() % 256, 0, $_ % 256, $names[$_ % 500], random() % 9, random() % 4 ? 200 : 404 } 1 .. 200000;
my (%hits, %bytes, $missed);
for (@lines) {
	next unless /^(\w+) ([\d.]+) "GET \/(\w+)\/(\d)" (\d+)$/;
	$hits{$1}++;
	$bytes{join '.', (split /\./, $2)[0, 1]} += $4;
	$missed++ if $5 == 404;
}
my $text = join "\n", @lines[0 .. 19999];
(my $changed = $text) =~ s/(\d+)\.(\d+)/$2-$1/g;
$changed =~ tr/a-m/n-z/;
my @top = sort { $hits{$b} <=> $hits{$a} || $a cmp $b } keys %hits;
my $sum = 0;
$sum = ($sum * 31 + ord) % 1000000007 for split //, $changed;
print join(' ', @top[0 .. 9]), " ", scalar(keys %bytes), " $missed $sum\n";
