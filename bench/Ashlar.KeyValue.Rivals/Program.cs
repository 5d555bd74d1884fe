using System.Globalization;
using Ashlar.KeyValue.Rivals;

if (args is not [var name, var directory, .. var settings] || settings.Length % 2 != 0)
{
    Console.Error.WriteLine("usage: kv-rivals ashlar|lmdb|lmdb-snapshot|faster|sqlite DIRECTORY");
    Console.Error.WriteLine("       [--num N] [--value BYTES] [--memory BYTES] [--seconds N] [--rows get,scan,put]");
    return 2;
}

var (num, value, memory, seconds, rows) = (200_000L, 1000, 2L << 30, 3.0, "get,scan,put");
for (var at = 0; at < settings.Length; at += 2)
{
    var text = settings[at + 1];
    switch (settings[at])
    {
        case "--num": num = long.Parse(text, CultureInfo.InvariantCulture); break;
        case "--value": value = int.Parse(text, CultureInfo.InvariantCulture); break;
        case "--memory": memory = long.Parse(text, CultureInfo.InvariantCulture); break;
        case "--seconds": seconds = double.Parse(text, CultureInfo.InvariantCulture); break;
        case "--rows": rows = text; break;
        default: Console.Error.WriteLine($"{settings[at]}: there is no such setting"); return 2;
    }
}

Directory.CreateDirectory(directory);
using IContender contender = name switch
{
    "ashlar" => new AshlarContender(directory, memory),
    "lmdb" => new LmdbContender(directory, memory, isSnapshot: false),
    "lmdb-snapshot" => new LmdbContender(directory, memory, isSnapshot: true),
    "faster" => new FasterContender(directory, memory),
    "sqlite" => new SqliteContender(directory, memory),
    _ => throw new ArgumentException($"there is no contender {name}"),
};
new RivalRun(contender, num, value, TimeSpan.FromSeconds(seconds)).Run(rows.Split(','));
return 0;
