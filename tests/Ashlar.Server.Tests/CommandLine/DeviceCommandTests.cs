using Ashlar.CommandLine;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>A device from the shell, on the real disk.</summary>
public sealed class DeviceCommandTests : IDisposable
{
    readonly TemporaryDirectory directory = new();
    readonly string disk;

    public DeviceCommandTests() => disk = directory["disk.ashlar"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_is_written_is_dumped_with_repeated_lines_left_out()
    {
        await Run("create", disk);
        Assert.Equal("5 bytes are written at byte 5000\n", (await Run("write", disk, "--offset", "5000", "--text", "hello")).Out);
        Assert.Equal(
            """
            00001000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
            *
            00001380  00 00 00 00 00 00 00 00  68 65 6c 6c 6f 00 00 00  |........hello...|
            00001390  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
            *
            00002000

            """,
            (await Run("read", disk, "--offset", "4KiB")).Out);
        Assert.Equal(
            """
            00001386  00 00 68 65 6c                                    |..hel|
            0000138b

            """,
            (await Run("read", disk, "--offset", "4998", "--length", "5")).Out);
    }

    [Fact]
    public async Task Bytes_come_from_digits_a_file_or_standard_input_and_go_out_raw()
    {
        await Run("create", disk);
        await Run("write", disk, "--hex", "00FFdead");
        Assert.Equal([0x00, 0xFF, 0xDE, 0xAD], await ReadRaw(0, 4));

        var data = new SeededRandom(1).Bytes(3_000_000);
        await File.WriteAllBytesAsync(directory["data"], data);
        await Run("write", disk, "--offset", "1000", "--file", directory["data"]);
        Assert.Equal(data, await ReadRaw(1000, data.Length));

        var input = new SeededRandom(2).Bytes(1_500_000);
        var outcome = await Call(new MemoryStream(input), Stream.Null, "write", disk, "--offset", "7", "--file", "-");
        Assert.Equal((0, "1500000 bytes are written at byte 7\n"), (outcome.ExitCode, outcome.Out));
        Assert.Equal(input, await ReadRaw(7, input.Length));
    }

    [Fact]
    public async Task Show_counts_the_states_and_draws_a_map()
    {
        await Run("create", disk, "--size", "256KiB");
        await Run("write", disk, "--offset", "8KiB", "--text", "x");
        await Run("write", disk, "--offset", "12KiB", "--text", "x");
        await Run("trim", disk, "--offset", "12KiB", "--length", "4KiB");
        await Run("mark-bad", disk, "5", "--count", "2");
        var shown = (await Run("show", disk)).Out;
        Assert.Contains("Size     256.00 KiB (64 blocks of 4096 bytes)\n", shown, StringComparison.Ordinal);
        Assert.Contains("Free     60 blocks\nUsed     1 block\nTrimmed  1 block\nBad      2 blocks\n", shown, StringComparison.Ordinal);
        Assert.EndsWith(" 0  ..#-.XX.........................................................\n", shown, StringComparison.Ordinal);

        var facts = (await Run("show", disk, "-o", "json")).OutJson;
        Assert.Equal(("ashlar/v1", "Device"), (facts.GetProperty("apiVersion").GetString(), facts.GetProperty("kind").GetString()));
        Assert.Equal((262144, 2), (facts.GetProperty("sizeBytes").GetInt64(), facts.GetProperty("blocks").GetProperty("bad").GetInt64()));
        Assert.Equal($"{disk}\n", (await Run("show", disk, "-o", "name")).Out);
    }

    [Fact]
    public async Task A_bad_block_fails_with_8_verify_says_10_and_replacing_heals()
    {
        await Run("create", disk);
        await Run("mark-bad", disk, "7");
        Assert.Equal((8, $"error: {disk}: block 7 is bad\n"), Ended(await Call("read", disk, "--offset", "28KiB")));
        Assert.Equal((8, $"error: {disk}: block 7 is bad\n"), Ended(await Call("write", disk, "--offset", "28KiB", "--text", "x")));
        Assert.Equal((10, "degraded: 1 bad block; header, states and 0 used blocks are intact\n"), Said(await Call("verify", disk)));
        Assert.Equal((0, "block 7: 1 replaced, blank now\n"), Said(await Call("replace", disk, "7")));
        Assert.Equal((0, "block 7: nothing to replace\n"), Said(await Call("replace", disk, "7")));
        await Run("write", disk, "--offset", "28KiB", "--text", "x");
        Assert.Equal((0, "intact: header, states and 1 used block\n"), Said(await Call("verify", disk)));
    }

    [Fact]
    public async Task Trim_tells_which_whole_blocks_it_found()
    {
        await Run("create", disk);
        Assert.Equal("blocks 1 to 3: trimmed\n", (await Run("trim", disk, "--offset", "1", "--length", "16383")).Out);
        Assert.Equal("block 1: trimmed\n", (await Run("trim", disk, "--offset", "4KiB", "--length", "4KiB")).Out);
        Assert.Equal(
            "no whole block of 4096 bytes is within the range\n", (await Run("trim", disk, "--offset", "1", "--length", "4KiB")).Out);
    }

    [Fact]
    public async Task Stats_cover_every_process_that_used_the_device()
    {
        await Run("create", disk);
        await Run("write", disk, "--offset", "4KiB", "--hex", new string('0', 8192));
        await Run("read", disk, "--offset", "4KiB");
        await Call("read", disk, "--offset", "9MiB");
        var stats = (await Run("stats", disk, "-o", "json")).OutJson;
        Assert.Equal((1, 1), (stats.GetProperty("reads").GetInt64(), stats.GetProperty("writes").GetInt64()));
        Assert.Equal((4096, 4096), (stats.GetProperty("bytesRead").GetInt64(), stats.GetProperty("bytesWritten").GetInt64()));
    }

    [Fact]
    public async Task Damage_is_named_with_file_and_byte()
    {
        await Run("create", disk);
        var bytes = await File.ReadAllBytesAsync(disk);
        bytes[1100] ^= 1;
        await File.WriteAllBytesAsync(disk, bytes);
        var outcome = await Call("verify", disk);
        Assert.Equal(8, outcome.ExitCode);
        Assert.StartsWith($"error: {disk}: damaged at byte 1024: checksum mismatch", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "out of bounds", "read", "DISK", "--offset", "8MiB")]
    [InlineData(2, "out of bounds", "read", "DISK", "--length", "9MiB")]
    [InlineData(2, "out of bounds", "write", "DISK", "--offset", "8388607", "--text", "xy")]
    [InlineData(2, "beyond the end", "mark-bad", "DISK", "2048")]
    [InlineData(2, "beyond the end", "replace", "DISK", "2047", "--count", "9223372036854775807")]
    [InlineData(2, "nothing to write", "write", "DISK")]
    [InlineData(2, "more than one thing", "write", "DISK", "--text", "a", "--hex", "00")]
    [InlineData(2, "'abc' is not hexadecimal", "write", "DISK", "--hex", "abc")]
    [InlineData(2, "'-1' is not the number of a block", "mark-bad", "DISK", "--", "-1")]
    [InlineData(2, "'0' is not a number of blocks", "mark-bad", "DISK", "1", "--count", "0")]
    [InlineData(2, "not between 1 and 2^32 whole blocks", "create", "NEW", "--size", "0")]
    [InlineData(2, "not between 1 and 2^32 whole blocks", "create", "NEW", "--size", "17TiB")]
    [InlineData(2, "read gives bytes", "read", "DISK", "-o", "json")]
    [InlineData(5, "No such file", "read", "NEW")]
    [InlineData(6, "create failed: File exists", "create", "DISK")]
    public async Task A_request_that_cannot_be_carried_out_is_one_clear_line(int exitCode, string message, params string[] words)
    {
        await Run("create", disk);
        var outcome = await Call([.. words.Select(word => word switch { "DISK" => disk, "NEW" => directory["new"], _ => word })]);
        Assert.Equal((exitCode, ""), (outcome.ExitCode, outcome.Out));
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.InRange(outcome.Error.Count(letter => letter == '\n'), 1, 2);
        Assert.Equal(["disk.ashlar", "disk.ashlar.lock"], Directory.GetFiles(directory.DirectoryPath).Select(Path.GetFileName).Order());
    }

    async Task<byte[]> ReadRaw(long offset, int length)
    {
        var output = new MemoryStream();
        var outcome = await Call(Stream.Null, output, "read", disk, "--offset", $"{offset}", "--length", $"{length}", "--raw");
        Assert.Equal((0, "", ""), (outcome.ExitCode, outcome.Out, outcome.Error));
        return output.ToArray();
    }

    static async Task<Outcome> Run(params string[] words)
    {
        var outcome = await Call(words);
        Assert.Equal((0, words), (outcome.ExitCode, words));
        return outcome;
    }

    static Task<Outcome> Call(params string[] words) => Call(Stream.Null, Stream.Null, words);

    static async Task<Outcome> Call(Stream input, Stream output, params string[] words)
    {
        var (texts, errors) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal
        {
            Out = texts,
            Error = errors,
            In = TextReader.Null,
            OpenIn = () => input,
            OpenOut = () => output,
            Environment = _ => null,
        };
        var exitCode = await AshlarProgram.RunAsync(["device", .. words], terminal, CancellationToken.None);
        return new((int)exitCode, texts.ToString(), errors.ToString());
    }

    static (int ExitCode, string Error) Ended(Outcome outcome) => (outcome.ExitCode, outcome.Error);

    static (int ExitCode, string Out) Said(Outcome outcome) => (outcome.ExitCode, outcome.Out);
}
