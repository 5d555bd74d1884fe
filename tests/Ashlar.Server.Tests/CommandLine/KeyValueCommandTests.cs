using System.Text;
using Ashlar.CommandLine;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Key-value stores from the shell, on the real disk.</summary>
public sealed class KeyValueCommandTests : IDisposable
{
    readonly TemporaryDirectory directory = new();
    readonly string store;

    public KeyValueCommandTests() => store = directory["store"];

    public void Dispose() => directory.Dispose();

    [Theory, InlineData(), InlineData("--shards", "3"), InlineData("--shards", "2", "--hashed-prefix", "4"),
        InlineData("--shards", "3", "--salted-prefix", "city/")]
    public async Task What_is_put_is_read_scanned_and_deleted(params string[] layout)
    {
        await Run(["create", store, .. layout]);
        Assert.Equal("city/paris has a value of 7 B\n", (await Run("put", store, "city/paris", "bonjour")).Out);
        await Run("put", store, "city/rome", "ciao");
        await Run("put", store, "d", "", "--durability", "relaxed");
        Assert.Equal("bonjour\n", (await Run("get", store, "city/paris")).Out);
        Assert.Equal("city/paris\tbonjour\ncity/rome\tciao\nd\t\n", (await Run("scan", store)).Out);
        Assert.Equal("city/rome\tciao\ncity/paris\tbonjour\n", (await Run("scan", store, "--prefix", "city/", "--reverse")).Out);
        Assert.Equal("city/rome\n", (await Run("scan", store, "--from", "city/q", "--to", "d", "--keys-only")).Out);
        Assert.Equal("city/paris\ncity/rome\n", (await Run("scan", store, "-o", "name", "--limit", "2")).Out);
        Assert.Equal("2 keys are deleted\n", (await Run("delete", store, "city/paris", "never there")).Out);
        Assert.Equal((5, "error: there is no key 'city/paris'\n"), Ended(await Call("get", store, "city/paris")));
        Assert.StartsWith("intact: ", (await Run("verify", store)).Out, StringComparison.Ordinal);
        Assert.StartsWith("tables are ", (await Run("compact", store)).Out, StringComparison.Ordinal);
        Assert.Equal("d\ncity/rome\n", (await Run("scan", store, "-o", "name", "--reverse")).Out);
    }

    [Fact]
    public async Task Bytes_go_in_and_out_as_digits_base64_files_and_raw()
    {
        await Run("create", store);
        await Run("put", store, "ff00", "00ff", "--hex");
        await Run("put", store, "fw==", "AQID", "--base64");
        Assert.Equal("7f\t010203\nff00\t00ff\n", (await Run("scan", store, "--hex")).Out);
        Assert.Equal("\\x7f\t\\x01\\x02\\x03\n\\xff\\x00\t\\x00\\xff\n", (await Run("scan", store)).Out);
        Assert.Equal("AP8=\n", (await Run("get", store, "/wA=", "--base64")).Out);

        var data = new SeededRandom(1).Bytes(300_000);
        await File.WriteAllBytesAsync(directory["data"], data);
        await Run("put", store, "file", "--file", directory["data"]);
        var output = new MemoryStream();
        Assert.Equal(0, (await Call(new MemoryStream([7, 8]), output, "put", store, "stdin", "--file", "-")).ExitCode);
        Assert.Equal(0, (await Call(Stream.Null, output, "get", store, "stdin", "--raw")).ExitCode);
        Assert.Equal(0, (await Call(Stream.Null, output, "get", store, "file", "--raw")).ExitCode);
        Assert.Equal([7, 8, .. data], output.ToArray());
    }

    [Fact]
    public async Task Objects_for_programs_are_exact_and_what_is_not_text_says_so()
    {
        await Run("create", store);
        await Run("put", store, "a\"b", "x\ty");
        var entry = (await Run("get", store, "a\"b", "-o", "json")).OutJson;
        Assert.Equal(
            ("KeyValueEntry", "text", "x\ty"),
            (entry.GetProperty("kind").GetString(), entry.GetProperty("encoding").GetString(), entry.GetProperty("value").GetString()));
        var entries = (await Run("scan", store, "-o", "json")).OutJson;
        Assert.Equal(
            ("ashlar/v1", "KeyValueEntries"), (entries.GetProperty("apiVersion").GetString(), entries.GetProperty("kind").GetString()));
        Assert.Equal("a\"b", entries.GetProperty("items")[0].GetProperty("key").GetString());
        Assert.Equal("x\ty", entries.GetProperty("items")[0].GetProperty("value").GetString());

        await Run("put", store, "6279746573", "fe", "--hex");
        var bytes = (await Run("get", store, "bytes", "-o", "json")).OutJson;
        Assert.Equal(
            ("base64", "Ynl0ZXM=", "/g=="),
            (bytes.GetProperty("encoding").GetString(), bytes.GetProperty("key").GetString(), bytes.GetProperty("value").GetString()));

        await Run("put", store, "ff00", "7465787420", "--hex");
        var items = (await Run("scan", store, "-o", "json")).OutJson.GetProperty("items").EnumerateArray().ToArray();
        Assert.Equal(3, items.Length);
        Assert.False(items[0].TryGetProperty("encoding", out _));
        Assert.Equal(["Ynl0ZXM=", "/wA="], items[1..].Select(item => item.GetProperty("key").GetString()));
        Assert.All(items[1..], item => Assert.Equal("base64", item.GetProperty("encoding").GetString()));
        Assert.Equal("dGV4dCA=\n", (await Run("get", store, items[2].GetProperty("key").GetString()!, "--base64")).Out);
        items = [.. (await Run("scan", store, "-o", "json", "--keys-only")).OutJson.GetProperty("items").EnumerateArray()];
        Assert.Equal(["a\"b", "bytes", "/wA="], items.Select(item => item.GetProperty("key").GetString()));
        Assert.Equal([false, false, true], items.Select(item => item.TryGetProperty("encoding", out _)));
        Assert.Equal("/g==", (await Run("get", store, "Ynl0ZXM=", "-o", "json", "--base64")).OutJson.GetProperty("value").GetString());
    }

    [Theory, InlineData("lines"), InlineData("binary")]
    public async Task What_scan_wrote_is_loaded_byte_for_byte_also_into_another_number_of_shards(string format)
    {
        await Run("create", store);
        var random = new SeededRandom(3);
        using (var opened = KeyValueStore.Open(store))
        {
            for (var i = 0; i < 300; i++)
                opened.Put(random.Bytes(random.Next(1, 20)), random.Bytes(random.Next(0, 50)), Durability.Relaxed);
            opened.Put("tab\tline\n\\"u8, "\\x41 \r\n"u8);
            opened.Put("Zürich"u8, "grüezi"u8);
        }

        var dump = new MemoryStream();
        if (format == "binary") await Call(Stream.Null, dump, "scan", store, "--raw");
        else dump.Write(Encoding.UTF8.GetBytes((await Run("scan", store)).Out));
        await Run("create", directory["copy"], "--shards", "3");
        dump.Position = 0;
        var loaded = await Call(dump, Stream.Null, "load", directory["copy"], "--format", format);
        Assert.StartsWith("302 entries loaded in ", loaded.Out, StringComparison.Ordinal);
        Assert.Equal((await Run("scan", store, "--hex")).Out, (await Run("scan", directory["copy"], "--hex")).Out);
    }

    [Fact]
    public async Task What_could_not_be_made_durable_is_not_reported_as_loaded()
    {
        await Run("create", store);
        var lines = string.Concat(Enumerable.Range(0, 1040).Select(number => $"{number:d6}\t{new string('v', 1000)}\n"));
        // Most of it is written by then, and nothing asks any more whether the store is where it was, except who flushes.
        using var input = new LastReadStream(Encoding.UTF8.GetBytes(lines), () =>
        {
            Directory.Move(store, directory["elsewhere"]);
            Directory.CreateDirectory(store);
        });
        var outcome = await Call(input, Stream.Null, "load", store, "--durability", "relaxed");
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.DoesNotContain("loaded", outcome.Out, StringComparison.Ordinal);
        Assert.Contains(store, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generated_entries_are_loaded_and_counted()
    {
        await Run("create", store, "--shards", "2");
        var change = (await Run("load", store, "--generate", "5000", "--value-size", "100", "-o", "json")).OutJson;
        Assert.Equal(("load", 5000), (change.GetProperty("operation").GetString(), change.GetProperty("entries").GetInt64()));
        Assert.Equal(5000, (await Run("scan", store, "-o", "name")).Out.Count(letter => letter == '\n'));
        await Run("compact", store);
        var facts = (await Run("stats", store, "-o", "json")).OutJson;
        Assert.Equal(
            (2, 5000),
            (facts.GetProperty("shardCount").GetInt32(), facts.GetProperty("statistics").GetProperty("tableEntries").GetInt64()));
        Assert.Contains("\nshard-001 ", (await Run("stats", store)).Out, StringComparison.Ordinal);
    }

    [Theory, InlineData(), InlineData("--shards", "3")]
    public async Task What_is_loaded_is_counted_before_it_is_in_tables(params string[] layout)
    {
        await Run(["create", store, .. layout]);
        await Run("load", store, "--generate", "1000", "--value-size", "10");
        Assert.Matches(@"\nEntries +1000 \(0 in tables, 1000 in the log and in memory\), ", (await Run("stats", store)).Out);
        Assert.Equal(
            1000,
            (await Run("stats", store, "-o", "json")).OutJson.GetProperty("statistics").GetProperty("memTableEntries").GetInt64());
        await Run("compact", store);
        Assert.Matches(@"\nEntries +1000 \(1000 in tables, 0 in the log and in memory\), ", (await Run("stats", store)).Out);
    }

    [Fact]
    public async Task Entries_expire()
    {
        await Run("create", store);
        await Run("put", store, "short", "x", "--ttl", "1ms");
        await Run("put", store, "long", "x", "--ttl", "365d");
        Assert.Equal("long\n", (await Run("scan", store, "-o", "name")).Out);
    }

    [Fact]
    public async Task Backups_are_made_listed_verified_restored_and_deleted()
    {
        var backups = directory["backups"];
        await Run("create", store);
        await Run("put", store, "a", "1");
        Assert.StartsWith(
            "backup 1 holds every write up to sequence 1: ", (await Run("backup", store, backups)).Out, StringComparison.Ordinal);
        await Run("put", store, "b", "2");
        Assert.Equal(2, (await Run("backup", store, backups, "--full", "-o", "json")).OutJson.GetProperty("number").GetInt32());
        Assert.Equal("1\n2\n", (await Run("backups", backups, "-o", "name")).Out);
        Assert.Equal(3, (await Run("backups", backups)).Out.Count(letter => letter == '\n'));
        Assert.Equal("2\n1\n", (await Run("backups", backups, "--reverse", "-q")).Out);
        Assert.Equal("1\n", (await Run("backups", backups, "--filter", "number<2", "-q")).Out);
        Assert.Equal("2\n", (await Run("backups", backups, "--filter", "2", "-q")).Out);
        Assert.Equal("2  ok", (await Run("backups", backups, "--columns", "number,state", "--filter", "number=2", "-H")).Out.Trim());
        Assert.StartsWith("intact: ", (await Run("verify-backup", backups)).Out, StringComparison.Ordinal);
        Assert.Equal(
            $"backup 1 is restored to {directory["old"]}\n", (await Run("restore", backups, directory["old"], "--number", "1")).Out);
        Assert.Equal("a\t1\n", (await Run("scan", directory["old"])).Out);
        await Run("restore", backups, directory["new"]);
        Assert.Equal("a\t1\nb\t2\n", (await Run("scan", directory["new"])).Out);
        Assert.Equal(6, (await Call("restore", backups, directory["new"])).ExitCode);
        await Run("delete-backup", backups, "--number", "1");
        Assert.Equal(5, (await Call("restore", backups, directory["other"], "--number", "1")).ExitCode);
        Assert.Equal(2, (await Run("backups", backups, "-o", "json")).OutJson.GetProperty("items")[0].GetProperty("number").GetInt32());
        Assert.Equal(5, (await Call("backups", directory["nowhere"])).ExitCode);
        Assert.Equal(2, (await Call("delete-backup", backups)).ExitCode);
        await Run("create", directory["sharded"], "--shards", "2");
        await Run("put", directory["sharded"], "c", "3");
        await Run("put", directory["sharded"], "d", "4");
        var shards = directory["backups of shards"];
        Assert.StartsWith(
            "backup 1 holds every write up to sequence 2: ",
            (await Run("backup", directory["sharded"], shards)).Out,
            StringComparison.Ordinal);
        Assert.Equal("1\n", (await Run("backups", shards, "-o", "name")).Out);
        Assert.StartsWith("intact: ", (await Run("verify-backup", shards)).Out, StringComparison.Ordinal);
        await Run("restore", shards, directory["shards restored"]);
        Assert.Equal("c\t3\nd\t4\n", (await Run("scan", directory["shards restored"])).Out);
        Assert.Equal(2, (await Call("restore", shards, directory["x"], "--archive", directory["x"])).ExitCode);
        await Run("delete-backup", shards, "--number", "1");
    }

    [Fact]
    public async Task A_store_is_archived_and_restored_as_it_was_at_any_moment()
    {
        var (backups, archive) = (directory["backups"], directory["archive"]);
        await Run("create", store);
        Assert.Equal($"every write of {store} is in {archive}\n", (await Run("archive-log", store, archive)).Out);
        await Run("backup", store, backups);
        await Run("put", store, "a", "1");
        await Run("put", store, "b", "2");
        await Run("archive-log", store, archive);
        await Run("compact", store); // The log is kept: the next command archives it.
        await Run("put", store, "c", "3");
        await Run("archive-log", store, archive);
        var covered = (await Run("archive", archive, "--verify", "-o", "json")).OutJson;
        Assert.Equal((0, 3), (covered.GetProperty("afterSequence").GetInt32(), covered.GetProperty("lastSequence").GetInt32()));
        Assert.Equal("PART", (await Run("archive", archive, "--columns", "part")).Out.Split('\n')[0]);
        Assert.Equal("1", (await Run("archive", archive, "--sort", "last", "-q")).Out.Split('\n')[0]);
        var narrow = await CalledProgram.RunAsync(new Surroundings { Width = 40 }, "kv", "archive", archive);
        Assert.Matches("^PART +FIRST +LAST +STATE$", narrow.Out.Split('\n')[0]);
        var table = (await Run("archive", archive)).Out;
        Assert.Contains("every write up to sequence 3", table, StringComparison.Ordinal);
        Assert.Contains($" {covered.GetProperty("parts")[0].GetProperty("lastCommittedAt").GetString()} ", table, StringComparison.Ordinal);

        Assert.StartsWith(
            $"{directory["two"]} is the store with every write up to sequence 2",
            (await Run("restore", backups, directory["two"], "--archive", archive, "--to-sequence", "2")).Out,
            StringComparison.Ordinal);
        Assert.Equal("a\t1\nb\t2\n", (await Run("scan", directory["two"])).Out);
        await Run("restore", backups, directory["latest"], "--archive", archive);
        Assert.Equal("a\t1\nb\t2\nc\t3\n", (await Run("scan", directory["latest"])).Out);
        var time = covered.GetProperty("parts")[0].GetProperty("lastCommittedAt").GetString()!;
        var then = (await Run("restore", backups, directory["then"], "--archive", archive, "--to-time", time, "-o", "json")).OutJson;
        Assert.Equal((1, time), (then.GetProperty("sequence").GetInt32(), then.GetProperty("committedAt").GetString()));

        Assert.Equal(5, (await Call("restore", backups, directory["x"], "--archive", archive, "--to-sequence", "4")).ExitCode);
        Assert.Equal(5, (await Call("restore", backups, directory["x"], "--archive", archive, "--to-time", "2999-01-01")).ExitCode);
        Assert.Equal(2, (await Call("restore", backups, directory["x"], "--to-sequence", "2")).ExitCode);
        Assert.Equal(2, (await Call("restore", backups, directory["x"], "--archive", archive, "--to-time", "soon")).ExitCode);
        Assert.Equal(6, (await Call("archive-log", directory["latest"], archive)).ExitCode);
        var first = Directory.GetFiles(archive, "part-*").Order().First();
        File.Move(first, directory["away"]);
        Assert.Equal(8, (await Call("restore", backups, directory["x"], "--archive", archive)).ExitCode);
        Assert.False(Directory.Exists(directory["x"]));
        File.Move(directory["away"], first);

        Assert.StartsWith("0 parts", (await Run("prune-archive", archive, backups)).Out, StringComparison.Ordinal);
        await Run("backup", store, backups);
        await Run("delete-backup", backups, "--number", "1");
        Assert.StartsWith("2 parts of", (await Run("prune-archive", archive, backups)).Out, StringComparison.Ordinal);
        Assert.Equal(2, (await Call("end-archive", store)).ExitCode);
        await Run("end-archive", store, "--yes");
    }

    [Fact]
    public async Task A_repair_is_asked_for_by_name_and_confirmed()
    {
        await Run("create", store);
        await Run("put", store, "a", "1");
        await Run("compact", store);
        await Run("put", store, "b", "2");
        var repaired = directory["repaired"];
        Assert.Equal(2, (await Call("repair", store, repaired)).ExitCode);
        Assert.Equal(2, (await Call("repair", store, store, "--yes")).ExitCode);
        Assert.Equal($"{repaired} is a new store with 2 entries\n", (await Run("repair", store, repaired, "--yes")).Out);
        Assert.Equal("a\t1\nb\t2\n", (await Run("scan", repaired)).Out);
        var table = Directory.GetFiles(store, "table-*").Single();
        File.Delete(table);
        var other = await Call("repair", store, directory["other"], "--yes");
        Assert.Equal(8, other.ExitCode);
        Assert.StartsWith($"lost: {table}: ", other.Out, StringComparison.Ordinal);
        Assert.Equal(6, (await Call("repair", store, repaired, "--yes")).ExitCode);
    }

    [Fact]
    public async Task A_damaged_store_ends_with_8_and_names_the_file()
    {
        await Run("create", store);
        await Run("put", store, "a", "1");
        await Run("compact", store);
        var table = Directory.GetFiles(store, "table-*").Single();
        var bytes = await File.ReadAllBytesAsync(table);
        bytes[3] ^= 1;
        await File.WriteAllBytesAsync(table, bytes);
        var verified = await Call("verify", store);
        Assert.Equal(8, verified.ExitCode);
        Assert.StartsWith($"damaged: {table}: ", verified.Out, StringComparison.Ordinal);
        var read = await Call("get", store, "a");
        Assert.Equal(8, read.ExitCode);
        Assert.StartsWith($"error: {table}: ", read.Error, StringComparison.Ordinal);
        Assert.Equal(8, (await Call("verify", store, "-o", "json")).ExitCode);
        File.Delete($"{store}/MANIFEST");
        Assert.Contains("the manifest is missing", (await Call("get", store, "a")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_shown_line_by_line_whole_or_damaged()
    {
        await Run("create", store);
        await Run("put", store, "a", "1");
        await Run("compact", store);
        var table = Directory.GetFiles(store, "table-*").Single();
        Assert.NotEqual("", (await Run("inspect", $"{store}/MANIFEST")).Out);
        Assert.DoesNotContain("BAD", (await Run("inspect", table)).Out, StringComparison.Ordinal);
        var bytes = await File.ReadAllBytesAsync(table);
        bytes[3] ^= 1;
        await File.WriteAllBytesAsync(table, bytes);
        var damaged = await Call("inspect", table);
        Assert.Equal(8, damaged.ExitCode);
        Assert.Contains("BAD", damaged.Out, StringComparison.Ordinal);
        Assert.Equal(1, (await Call("inspect", $"{store}/LOCK")).ExitCode);
        Assert.Equal(5, (await Call("inspect", directory["nowhere"])).ExitCode);
    }

    [Fact]
    public async Task A_store_in_use_names_the_process()
    {
        await Run("create", store);
        using var opened = KeyValueStore.Open(store);
        var outcome = await Call("put", store, "a", "1");
        Assert.Equal((6, $"error: {store}/LOCK: in use by this process, {Environment.ProcessId}\n"), Ended(outcome));
    }

    [Theory, InlineData(), InlineData("--shards", "2")]
    public async Task Looking_changes_nothing_and_goes_on_beside_others_that_look(params string[] layout)
    {
        await Run(["create", store, .. layout]);
        await Run("put", store, "a", "1");
        var before = Files();
        using (var reader = OpenedStore.Open(store, isReadOnly: true, create: ""))
        {
            Assert.Equal("1\n", (await Run("get", store, "a")).Out);
            Assert.Equal("a\t1\n", (await Run("scan", store)).Out);
            await Run("stats", store);
            await Run("verify", store);
            Assert.Equal(6, (await Call("put", store, "a", "2")).ExitCode);
        }

        Assert.Equal(before, Files());

        string[] Files() => [.. Directory.GetFiles(store, "*", SearchOption.AllDirectories).Order()
            .Select(path => $"{path} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}")];
    }

    [Theory]
    [InlineData(2, "KEY is missing", "put", "STORE")]
    [InlineData(2, "VALUE is missing", "put", "STORE", "a")]
    [InlineData(2, "more than one value", "put", "STORE", "a", "b", "--file", "-")]
    [InlineData(2, "unexpected argument 'c'", "put", "STORE", "a", "b", "c")]
    [InlineData(2, "A key has 1 to 65535 bytes", "put", "STORE", "", "b")]
    [InlineData(2, "'abc' is not hexadecimal", "put", "STORE", "abc", "00", "--hex")]
    [InlineData(2, "'%' is not base64", "get", "STORE", "%", "--base64")]
    [InlineData(2, "cannot be combined", "get", "STORE", "00", "--base64", "--hex")]
    [InlineData(2, "--ttl: '5 minutes' is not a time", "put", "STORE", "a", "b", "--ttl", "5 minutes")]
    [InlineData(2, "--ttl: '0s' is not a time", "put", "STORE", "a", "b", "--ttl", "0s")]
    [InlineData(2, "--durability: 'maybe' is not a kind", "put", "STORE", "a", "b", "--durability", "maybe")]
    [InlineData(2, "--prefix cannot be combined", "scan", "STORE", "--prefix", "a", "--from", "b")]
    [InlineData(2, "--from is after --to", "scan", "STORE", "--from", "b", "--to", "a")]
    [InlineData(2, "--limit: '-1' is not a number", "scan", "STORE", "--limit", "-1")]
    [InlineData(2, "--raw gives", "scan", "STORE", "--raw", "-o", "json")]
    [InlineData(2, "--raw gives", "get", "STORE", "a", "--raw", "-o", "json")]
    [InlineData(2, "cannot be combined", "load", "STORE", "--file", "-", "--generate", "5")]
    [InlineData(2, "--format: 'xml' is not a format", "load", "STORE", "--format", "xml")]
    [InlineData(2, "--shards: '257' is not a number from 0 to 256", "create", "NEW", "--shards", "257")]
    [InlineData(2, "--hashed-prefix and --salted-prefix need --shards", "create", "NEW", "--hashed-prefix", "3")]
    [InlineData(5, "there is no such directory", "get", "NEW", "a")]
    [InlineData(5, "there is no key-value store in this directory", "get", "HERE", "a")]
    [InlineData(5, "is a file, not the directory of a store", "get", "FILE", "a")]
    [InlineData(5, "No such file", "load", "STORE", "--file", "/nowhere/at/all")]
    [InlineData(6, "there is a store already", "create", "STORE")]
    public async Task A_request_that_cannot_be_carried_out_is_one_clear_line(int exitCode, string message, params string[] words)
    {
        await Run("create", store);
        await File.WriteAllTextAsync(directory["file"], "x");
        var outcome = await Call([.. words.Select(word => word switch
        {
            "STORE" => store,
            "NEW" => directory["new"],
            "HERE" => directory.DirectoryPath,
            "FILE" => directory["file"],
            _ => word,
        })]);
        Assert.Equal((exitCode, ""), (outcome.ExitCode, outcome.Out));
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.InRange(outcome.Error.Count(letter => letter == '\n'), 1, 2);
        Assert.Equal(["file", "store"], Directory.GetFileSystemEntries(directory.DirectoryPath).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("lines", "a\t1\nno tab\n", "standard input: line 2: expected a key, a tab and a value")]
    [InlineData("lines", "a\t\\q\n", "line 1: '\\q' has a backslash")]
    [InlineData("binary", "abc", "ends within entry 1")]
    [InlineData("binary", "\u0001\0\0\0a\u0005\0\0\0xy", "ends within entry 1")]
    [InlineData("binary", "zzzz", "entry 1: a length of 2054847098 is beyond the limit of 65535 bytes")]
    public async Task Input_that_cannot_be_loaded_names_the_place(string format, string input, string message)
    {
        await Run("create", store);
        var outcome = await Call(new MemoryStream(Encoding.UTF8.GetBytes(input)), Stream.Null, "load", store, "--format", format);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    static async Task<Outcome> Run(params string[] words)
    {
        var outcome = await Call(words);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', words)}: {outcome.Error}");
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
            OpenOut = () => new Unclosed(output),
            Environment = _ => null,
        };
        var exitCode = await AshlarProgram.RunAsync(["kv", .. words], terminal, CancellationToken.None);
        return new((int)exitCode, texts.ToString(), errors.ToString());
    }

    static (int ExitCode, string Error) Ended(Outcome outcome) => (outcome.ExitCode, outcome.Error);

    sealed class Unclosed(Stream stream) : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
            if (disposing) WriteTo(stream);
            base.Dispose(disposing);
        }
    }

    /// <summary>Does something when everything was read.</summary>
    sealed class LastReadStream(byte[] bytes, Action atEnd) : MemoryStream(bytes)
    {
        bool isOver;

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            if (read == 0 && !isOver)
            {
                isOver = true;
                atEnd();
            }

            return read;
        }
    }
}
