-- What Lua programs do: tables, closures, strings, metatables, coroutines.
local state = 1
local function random()
	state = (state * 1103515245 + 12345) % 2147483648
	return state // 65536
end

local function queens(n)
	local count, columns, up, down = 0, {}, {}, {}
	local function place(row)
		if row > n then
			count = count + 1
			return
		end
		for c = 1, n do
			if not columns[c] and not up[row + c] and not down[row - c + n] then
				columns[c], up[row + c], down[row - c + n] = true, true, true
				place(row + 1)
				columns[c], up[row + c], down[row - c + n] = nil, nil, nil
			end
		end
	end
	place(1)
	return count
end

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b)
	return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector)
end

local sum, parts = setmetatable({ x = 0, y = 0 }, Vector), {}
for i = 1, 1200000 do
	sum = sum + setmetatable({ x = random() % 100, y = i % 7 }, Vector)
end
for i = 1, 100000 do
	parts[i] = string.format("%d:%s", random() % 1000, string.rep("ab", i % 4))
end
table.sort(parts)
local text, hits = table.concat(parts, ","), 0
for number in text:gmatch("(%d+):abab,") do
	hits = hits + tonumber(number)
end
local generator = coroutine.wrap(function()
	for i = 1, 900000 do
		coroutine.yield(i * i % 1009)
	end
	return -1
end)
local yielded = 0
for v in generator do
	if v < 0 then
		break
	end
	yielded = yielded + v
end
print(queens(9), sum.x, sum.y, #text, hits, yielded, text:gsub("ab", "b"):sub(1, 40))
