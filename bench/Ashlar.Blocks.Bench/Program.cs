using Ashlar.Blocks.Bench;

// usage: blocks-bench raid|volumes [DIRECTORY [ROWS...]]
var parent = args.Length > 1 ? args[1] : Path.GetTempPath();
switch (args.FirstOrDefault())
{
    case "raid":
        await Measuring.InDirectoryAsync(parent, RaidRows.RunAsync);
        return 0;
    case "volumes":
        await Measuring.InDirectoryAsync(parent, directory => VolumeRows.RunAsync(directory, args[2..]));
        return 0;
    default:
        Console.Error.WriteLine("usage: blocks-bench raid|volumes [DIRECTORY [ROWS...]]");
        return 2;
}
