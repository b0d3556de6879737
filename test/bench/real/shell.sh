# Fifty forks: subshells, command substitutions and pipes, with builtins alone.
i=0
sum=0
while [ $i -lt 10 ]; do
	(sum=$((sum + i)); : $sum)
	word=$(echo "word $i")
	sum=$((sum + ${#word}))
	echo "$word" | while read -r a b; do echo "$b $a"; done
	(exit $i) || sum=$((sum + $?))
	i=$((i + 1))
done
echo $sum
