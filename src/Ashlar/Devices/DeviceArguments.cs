using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>What several device commands take.</summary>
static class DeviceArguments
{
    public static Argument<string> Device() => new("DEVICE")
    {
        Description = "The file that the device is in",
        CustomParser = result =>
        {
            var path = result.Tokens[0].Value;
            if (path.Length == 0 || path.Contains('\0')) result.AddError($"'{path}' is not the path of a file");
            return path;
        },
    };

    public static Option<long> Offset(Terminal terminal) =>
        Setting.Create(terminal, "--offset", "OFFSET", "First byte: 5000, 4KiB [default: 0]", ByteSize.Parse, 0L);

    public static Argument<long> Block() => new("BLOCK")
    {
        Description = "Number of the first block, from 0",
        CustomParser = result => ParseNumber(result, least: 0, word => $"'{word}' is not the number of a block"),
    };

    public static Option<long> Count() => new("--count")
    {
        Description = "How many blocks [default: 1]",
        HelpName = "BLOCKS",
        DefaultValueFactory = _ => 1,
        CustomParser = result => ParseNumber(result, least: 1, word => $"--count: '{word}' is not a number of blocks"),
    };

    public static string FullPath(Invocation invocation, Argument<string> path) => TypedPath.OfFile(invocation.Get(path));

    public static DeviceFile Open(Invocation invocation, Argument<string> path) =>
        DeviceFile.Open(FileSystems.Real, FullPath(invocation, path));

    /// <summary>Opens a device that will not be changed, not even its counters.</summary>
    public static DeviceFile OpenToLook(Invocation invocation, Argument<string> path) =>
        DeviceFile.Open(FileSystems.Real, FullPath(invocation, path), isReadOnly: true);

    static long ParseNumber(ArgumentResult result, long least, Func<string, string> describe)
    {
        var word = result.Tokens[0].Value;
        if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least) return number;
        result.AddError(describe(word));
        return 0;
    }
}
