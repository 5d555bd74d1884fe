using System.Globalization;
using Ashlar.Files.Bench;

// usage: files-bench [DIRECTORY [MEBIBYTES [ROUNDS]]]
//        files-bench --names [DIRECTORY [FILES]]
// and what bench/files-net.sh asks for:
//        files-bench plain PORT DIRECTORY
//        files-bench fill DATA NAMES
//        files-bench wire ONE THREE PLAIN DIRECTORY MEBIBYTES ROUNDS SMALL NAMES RANGES ROWS
//        files-bench load SERVER UPLOADS MEBIBYTES, until it is ended
switch (args.FirstOrDefault())
{
    case "plain":
        await FloorServer.RunAsync(Number(1, 0), args[2]);
        return 0;
    case "fill":
        await WireFill.RunAsync(args[1], Number(2, 0));
        return 0;
    case "wire":
        new WireRows(
            ServerProcess.Parse(args[1]), ServerProcess.Parse(args[2]), ServerProcess.Parse(args[3]), args[4],
            new((long)Number(5, 0) << 20, Number(6, 0), Number(7, 0), Number(8, 0), Number(9, 0))).Run(args[10].Split(','));
        return 0;
    case "load":
        WireRows.Load(ServerProcess.Parse(args[1]), Number(2, 4), (long)Number(3, 64) << 20, CancellationToken.None);
        return 0;
}

var first = args.FirstOrDefault() == "--names" ? 1 : 0;
var parent = args.Length > first ? args[first] : Path.GetTempPath();
var directory = Directory.CreateDirectory(Path.Combine(parent, $"files-bench-{Environment.ProcessId}")).FullName;
try
{
    if (first > 0) await new NameRows(directory, Number(2, 1_000_000)).RunAsync();
    else await new FileRows(directory, (long)Number(1, 1024) << 20, Number(2, 3)).RunAsync();
    return 0;
}
finally
{
    Directory.Delete(directory, recursive: true);
}

int Number(int index, int otherwise) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;
