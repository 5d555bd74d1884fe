using System.CommandLine;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Each example that help shows succeeds as typed, where what it names is there.</summary>
public sealed class HelpExampleTests : IDisposable
{
    static readonly Dictionary<string, string[]> Preparations = new(StringComparer.Ordinal)
    {
        ["ashlar volume show"] = ["volume create vm1 --size 1GiB", "volume create vm2 --size 1GiB"],
        ["ashlar volume resize"] = ["volume create vm1 --size 1GiB"],
        ["ashlar volume rename"] = ["volume create vm1 --size 1GiB"],
        ["ashlar volume limit"] = ["volume create vm1 --size 1GiB", "volume create vm2 --size 1GiB"],
        ["ashlar volume delete"] =
            ["volume create vm1 --size 1GiB", "volume create vm2 --size 1GiB", "volume create vm3 --size 1GiB"],
        ["ashlar kv"] = [],
        ["ashlar kv create"] = [],
        ["ashlar kv get"] = ["kv create ./store", "kv put ./store city/paris x", "kv put ./store 00ff 01 --hex", "kv put ./store photo x"],
        ["ashlar kv inspect"] = ["kv create ./store", "kv put ./store a b"],
        ["ashlar kv backups"] = ["kv create ./store", "kv backup ./store ./backups"],
        ["ashlar kv verify-backup"] = Backups(),
        ["ashlar kv restore"] = [.. Backups(), "kv archive-log ./store ./archive"],
        ["ashlar kv delete-backup"] = Backups(),
        ["ashlar kv archive"] = ["kv create ./store", "kv put ./store a b", "kv archive-log ./store /mnt/archive/store"],
        ["ashlar kv prune-archive"] =
            ["kv create ./store", "kv put ./store a b", "kv archive-log ./store /mnt/archive/store", "kv backup ./store ./backups"],
        ["ashlar kv end-archive"] = ["kv create ./store", "kv archive-log ./store ./archive"],
        ["ashlar device"] = [],
        ["ashlar device create"] = [],
    };

    readonly TemporaryDirectory directory = new();
    string archiveEnd = "";

    /// <summary>Commands whose examples can be run one after the other; those of <c>up</c> and <c>serve</c> run until they are stopped.</summary>
    public static TheoryData<string> Commands() =>
        [.. HelpTests.All(HelpTests.Root()).Select(command => command.Path).Where(path => path is not ("ashlar" or "ashlar up" or "ashlar serve"))];

    public void Dispose() => directory.Dispose();

    [Theory, MemberData(nameof(Commands))]
    public async Task The_examples_of_a_command_succeed_as_typed(string path)
    {
        await using var server = await RunningProgram.StartAsync();
        await File.WriteAllTextAsync(directory["cities.tsv"], "paris\t2.1 million\n");
        await File.WriteAllBytesAsync(directory["dump"], []);
        await File.WriteAllTextAsync(directory["orders.schema"], "id bigint\nindex: id\n");
        await File.WriteAllTextAsync(directory["shop.needs"], "team = 2\n[a]\nqueries = search\nrole = derived\nreads = 20k/s\nsize = 1TB\n");
        var before = Preparations.TryGetValue(path, out var own) ? own
            : path.StartsWith("ashlar kv ", StringComparison.Ordinal) ? ["kv create ./store"]
            : path.StartsWith("ashlar device ", StringComparison.Ordinal) ? ["device create disk.ashlar"]
            : (string[])[];
        foreach (var line in before) await RunAsync(server, line);
        if (path == "ashlar kv restore")
        {
            var parts = (await CalledProgram.RunAsync("kv", "archive", directory["archive"], "-o", "json")).OutJson.GetProperty("parts");
            archiveEnd = parts.EnumerateArray().Last().GetProperty("lastCommittedAt").GetString()!;
        }
        var command = HelpTests.All(HelpTests.Root()).Single(each => each.Path == path).Command;
        foreach (var example in ((IHasExamples)command).Examples)
        {
            // Each of these writes the same new thing in another way.
            if (path is "ashlar kv restore" or "ashlar kv repair") Remove("restored", "repaired");
            if (path is "ashlar kv create" or "ashlar device create") Remove("store", "disk.ashlar");
            await RunAsync(server, example["ashlar ".Length..]);
        }
    }

    async Task RunAsync(RunningProgram server, string line)
    {
        var words = Words(line);
        var usesServer = words[0] is not ("kv" or "device" or "plan" or "version" or "help" or "completion");
        string[] all = usesServer && words[0] != "__complete" ? [.. words, "--data", server.Data] : words;
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = new StringReader("y\n"),
            InIsTerminal = true,
            ErrorIsTerminal = true,
            OpenIn = () => new MemoryStream("paris\tx\n"u8.ToArray()),
            OpenOut = () => new MemoryStream(),
            Environment = _ => null,
        };
        var exitCode = await AshlarProgram.RunAsync(all, terminal, CancellationToken.None);
        Assert.True(exitCode == ExitCode.Ok, $"'{line}' ends with {exitCode}: {error}{output}");
    }

    /// <summary>The words of a line as a shell makes them, with its paths below a directory of the test.</summary>
    string[] Words(string line) =>
    [
        .. line
            .Replace("--generate 1000000", "--generate 1000", StringComparison.Ordinal)
            .Replace("--to-sequence 123456", "--to-sequence 2", StringComparison.Ordinal)
            .Replace("--to-time 2026-11-21T07:30:00Z", $"--to-time {archiveEnd}", StringComparison.Ordinal)
            .Split(' ')
            .Select(word => word.Trim('\''))
            .Select(word => word.StartsWith("./", StringComparison.Ordinal) ? directory[word[2..]]
                : word.StartsWith("/mnt/", StringComparison.Ordinal) ? directory[word[1..]]
                : word is "disk.ashlar" or "cities.tsv" or "dump" or "orders.schema" or "shop.needs" ? directory[word]
                : word),
    ];

    void Remove(params string[] names)
    {
        foreach (var name in names)
        {
            if (Directory.Exists(directory[name])) Directory.Delete(directory[name], recursive: true);
            File.Delete(directory[name]);
        }
    }

    static string[] Backups() =>
    [
        "kv create ./store", "kv put ./store a b", "kv backup ./store ./backups", "kv put ./store c d", "kv backup ./store ./backups",
        "kv backup ./store ./backups",
    ];
}
