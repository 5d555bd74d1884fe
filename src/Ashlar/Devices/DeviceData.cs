using System.CommandLine;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>What <c>ashlar device write</c> writes: a text, hexadecimal digits, a file, or standard input.</summary>
sealed class DeviceData(Terminal terminal)
{
    const int ChunkBytes = 1 << 20;

    readonly Option<string?> text = new("--text")
    {
        Description = "Write this text, as UTF-8",
        HelpName = "TEXT",
    };

    readonly Option<byte[]> hex =
        Setting.Create<byte[]>(terminal, "--hex", "DIGITS", "Write these bytes: deadbeef", ParseHex, []);

    readonly Option<string?> file = new("--file")
    {
        Description = "Write the content of this file; - is standard input",
        HelpName = "FILE",
    };

    public IEnumerable<Option> All => [text, hex, file];

    /// <summary>The data, in chunks; nothing is held back until all is there.</summary>
    /// <exception cref="CommandException">Not exactly one source is given.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Read(Invocation invocation)
    {
        var given = All.Count(invocation.IsGiven);
        if (given != 1)
        {
            throw Usage.Error(
                given == 0 ? "nothing to write" : "more than one thing to write", "give one of --text, --hex and --file");
        }
        if (invocation.IsGiven(text)) return [Encoding.UTF8.GetBytes(invocation.Get(text)!)];
        if (invocation.IsGiven(hex)) return [invocation.Get(hex)];
        return invocation.Get(file) is "-" ? ReadInput(invocation.Terminal) : ReadFile(invocation.Get(file)!);
    }

    static IEnumerable<ReadOnlyMemory<byte>> ReadInput(Terminal terminal)
    {
        using var input = terminal.OpenIn();
        var chunk = new byte[ChunkBytes];
        while (input.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false) is > 0 and var count)
            yield return chunk.AsMemory(0, count);
    }

    static IEnumerable<ReadOnlyMemory<byte>> ReadFile(string path)
    {
        using var source = FileSystems.Real.Open(TypedPath.OfFile(path), FileOpenMode.ReadOnly);
        var chunk = new byte[ChunkBytes];
        for (long offset = 0; source.Read(chunk, offset) is > 0 and var count; offset += count)
            yield return chunk.AsMemory(0, count);
    }

    static byte[] ParseHex(string digits)
    {
        try
        {
            return Convert.FromHexString(digits);
        }
        catch (FormatException e)
        {
            throw new FormatException($"'{digits}' is not hexadecimal: expected pairs of 0-9 and a-f", e);
        }
    }
}
