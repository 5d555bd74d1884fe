using System.Globalization;
using Ashlar.Caching.Bench;

if (args is not [var contender, var directory, .. var settings] || settings.Length % 2 != 0)
{
    Console.Error.WriteLine("usage: caching-bench memory|ashlar|sqlite DIRECTORY");
    Console.Error.WriteLine("       [--rows set,get,restart] [--num N] [--value BYTES] [--seconds N]");
    return 2;
}

var (num, value, seconds, rows) = (100_000, 1000, 3.0, "set,get");
for (var at = 0; at < settings.Length; at += 2)
{
    var text = settings[at + 1];
    switch (settings[at])
    {
        case "--num": num = int.Parse(text, CultureInfo.InvariantCulture); break;
        case "--value": value = int.Parse(text, CultureInfo.InvariantCulture); break;
        case "--seconds": seconds = double.Parse(text, CultureInfo.InvariantCulture); break;
        case "--rows": rows = text; break;
        default: Console.Error.WriteLine($"{settings[at]}: there is no such setting"); return 2;
    }
}

Directory.CreateDirectory(directory);
var run = new CachingRun(contender, directory, num, value, TimeSpan.FromSeconds(seconds));
foreach (var row in rows.Split(','))
{
    switch (row)
    {
        case "set": await run.Sets(); break;
        case "get": await run.Gets(); break;
        case "restart": await run.Restart(); break;
        default: Console.Error.WriteLine($"{row}: there is no such row"); return 2;
    }
}

await run.Close();
return 0;
