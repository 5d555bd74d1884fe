using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>Blocks of devices and volumes: 512 or 4096 bytes, of which sizes are whole multiples.</summary>
static class BlockSize
{
    public static Option<int> Option(Terminal terminal, int defaultBytes)
    {
        var option = Setting.Create(terminal, "--block-size", "BYTES", $"512 or 4096 [default: {defaultBytes}]", Parse, defaultBytes);
        option.CompletionSources.Add("512", "4096");
        return option;
    }

    /// <summary>The size in whole blocks that holds so many bytes; where it is more, people are told.</summary>
    public static long RoundUp(Invocation invocation, long sizeBytes, int blockSizeBytes)
    {
        var rest = sizeBytes % blockSizeBytes;
        if (rest == 0 || sizeBytes > long.MaxValue - blockSizeBytes) return sizeBytes;
        var rounded = sizeBytes - rest + blockSizeBytes;
        invocation.Tell(
            $"note: {ByteSize.FormatExact(sizeBytes)} are rounded up to whole blocks of {blockSizeBytes}: "
            + $"{ByteSize.FormatExact(rounded)}, {ByteSize.Format(rounded)}");
        return rounded;
    }

    static int Parse(string text) => ByteSize.Parse(text) switch
    {
        512 => 512,
        4096 => 4096,
        _ => throw new FormatException($"'{text}' is not supported: expected 512 or 4096"),
    };
}
