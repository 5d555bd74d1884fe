using Ashlar.Files.Bench;

// usage: files-bench [DIRECTORY [MEBIBYTES [ROUNDS]]], or files-bench --names [DIRECTORY [FILES]]
var ofNames = args.Length > 0 && args[0] == "--names";
string[] given = ofNames ? args[1..] : args;
var parent = given.Length > 0 ? given[0] : Path.GetTempPath();
var directory = Directory.CreateDirectory(Path.Combine(parent, $"files-bench-{Environment.ProcessId}")).FullName;
try
{
    if (ofNames) await new NameRows(directory, Number(1, 1_000_000)).RunAsync();
    else await new FileRows(directory, (long)Number(1, 1024) << 20, Number(2, 3)).RunAsync();
    return 0;
}
finally
{
    Directory.Delete(directory, recursive: true);
}

int Number(int index, int otherwise) =>
    given.Length > index ? int.Parse(given[index], System.Globalization.CultureInfo.InvariantCulture) : otherwise;
