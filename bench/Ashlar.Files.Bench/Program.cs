using Ashlar.Files.Bench;

// usage: files-bench [DIRECTORY [MEBIBYTES [ROUNDS]]]
var parent = args.Length > 0 ? args[0] : Path.GetTempPath();
var mebibytes = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1024;
var rounds = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 3;
var directory = Directory.CreateDirectory(Path.Combine(parent, $"files-bench-{Environment.ProcessId}")).FullName;
try
{
    await new FileRows(directory, (long)mebibytes << 20, rounds).RunAsync();
    return 0;
}
finally
{
    Directory.Delete(directory, recursive: true);
}
