using System.Security.Cryptography;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Files;

/// <summary><c>ashlar file</c>, against a server of the test's own.</summary>
public sealed class FileCommandTests : IAsyncLifetime
{
    readonly TemporaryDirectory local = new();
    RunningProgram server = null!;

    public async Task InitializeAsync() => server = await RunningProgram.StartAsync();

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        local.Dispose();
    }

    [Fact]
    public async Task The_five_operations_need_no_key_on_the_machine_of_the_server()
    {
        var content = new SeededRandom(1).Bytes(100_000);
        await File.WriteAllBytesAsync(local["cat.jpg"], content);
        Assert.Equal("/photos/ is made\n", await CallAsync("file", "mkdir", "/photos"));
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.Equal($"/photos/cat.jpg is stored: 97.66 KiB, sha256 {hash}\n", await CallAsync("file", "put", local["cat.jpg"], "photos/"));
        Assert.Equal("/photos/cat.jpg\n", await CallAsync("file", "ls", "/photos", "-o", "name"));
        Assert.Equal("/photos/cat.jpg is deleted\n", await CallAsync("file", "rm", "/photos/cat.jpg"));
        Assert.Equal("/photos is deleted\n", await CallAsync("file", "rm", "/photos"));
    }

    [Fact]
    public async Task What_is_put_or_moved_to_a_directory_lies_in_it_with_or_without_a_slash()
    {
        await File.WriteAllTextAsync(local["cat.jpg"], "meow");
        await CallAsync("file", "mkdir", "/photos", "/old");
        var put = await CallAsync("file", "put", local["cat.jpg"], "/photos");
        Assert.StartsWith("/photos/cat.jpg is stored", put, StringComparison.Ordinal);
        Assert.StartsWith("/old/cat.jpg is there", await CallAsync("file", "cp", "/photos/cat.jpg", "/old"), StringComparison.Ordinal);
        await CallAsync("file", "rm", "/old/cat.jpg");
        Assert.StartsWith("/old/cat.jpg is there", await CallAsync("file", "mv", "/photos/cat.jpg", "/old"), StringComparison.Ordinal);
        Assert.StartsWith("/new is there", await CallAsync("file", "mv", "/old/cat.jpg", "/new"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_refused_says_what_may_help()
    {
        await File.WriteAllTextAsync(local["f"], "meow");
        await CallAsync("file", "mkdir", "/d");
        await CallAsync("file", "put", local["f"], "/d/f");
        await CallAsync("file", "put", local["f"], "/g");
        (string[] Words, string Hint)[] refused =
        [
            (["put", local["f"], "/g"], "--replace"),
            (["cp", "/g", "/d/f"], "--replace"),
            (["mv", "/d", "/e"], "each file"),
            (["rm", "/d"], "-r"),
        ];
        foreach (var (words, hint) in refused)
        {
            var outcome = await server.CallAsync(["file", .. words]);
            Assert.Equal(6, outcome.ExitCode);
            Assert.Matches($"\nhint: .*{hint}", outcome.Error);
        }
    }

    [Fact]
    public async Task A_drain_can_be_slowed_down_and_a_task_told_how_fast_it_may_be()
    {
        Directory.CreateDirectory(local["two"]);
        await CallAsync("node", "add", "two", local["two"]);
        var begun = await server.CallAsync("node", "drain", "two", "--limit-bandwidth", "5MiB", "--no-wait", "-o", "json");
        Assert.Equal((0, 5L << 20), (begun.ExitCode, begun.OutJson.GetProperty("bytesPerSecond").GetInt64()));
        var id = begun.OutJson.GetProperty("id").GetString()!;
        Assert.Equal($"task {id} does 10.00 MiB in a second at the most\n", await CallAsync("task", "limit", id, "10MiB"));
        Assert.Equal($"task {id} is as fast as it can\n", await CallAsync("task", "limit", id, "none"));
        foreach (var wrong in (string[])["7", "abc", "1KiB"])
            Assert.Equal(2, (await server.CallAsync("task", "limit", id, wrong)).ExitCode);
        Assert.Equal(2, (await server.CallAsync("node", "drain", "two", "--limit-bandwidth", "7")).ExitCode);
    }

    [Fact]
    public async Task A_tree_is_deleted_some_files_at_a_time()
    {
        await File.WriteAllTextAsync(local["f"], "meow");
        await CallAsync("file", "mkdir", "-p", "/b/deep");
        for (var i = 0; i < 10; i++) await CallAsync("file", "put", local["f"], $"/b/deep/{i}");
        var removed = await server.CallAsync("file", "rm", "-r", "/b", "--yes", "--parallel", "8");
        Assert.Equal((0, "/b is deleted\n"), (removed.ExitCode, removed.Out));
        Assert.Equal("", await CallAsync("file", "ls", "-o", "name"));
    }

    [Fact]
    public async Task Content_goes_to_the_output_whole_or_by_a_range()
    {
        await File.WriteAllTextAsync(local["a"], "meow, meow");
        await CallAsync("file", "put", local["a"], "/a");
        using var output = new MemoryStream();
        var around = new Surroundings { Output = output };
        await CalledProgram.RunAsync(around, "file", "cat", "/a", "--offset", "6", "--length", "2", "--data", server.Data);
        Assert.Equal("me"u8.ToArray(), output.ToArray());
    }

    [Fact]
    public async Task A_tree_goes_up_and_comes_back_equal()
    {
        Directory.CreateDirectory(local["tree/deep/deeper"]);
        Directory.CreateDirectory(local["tree/empty"]);
        for (var i = 0; i < 20; i++) await File.WriteAllBytesAsync(local[$"tree/deep/{i}"], new SeededRandom((ulong)i).Bytes(i * 1000));
        await File.WriteAllTextAsync(local["tree/deep/deeper/a name with a % and a \u00fc"], "x");
        var dry = await server.CallAsync("file", "put", "-r", local["tree"], "/", "--dry-run");
        Assert.Equal((0, 21), (dry.ExitCode, dry.Out.Split('\n').Length - 1));
        Assert.Equal("", await CallAsync("file", "ls", "-o", "name"));

        var put = await server.CallAsync("file", "put", "-r", local["tree"], "/up", "--parallel", "3");
        Assert.Equal((0, 21), (put.ExitCode, put.Out.Split('\n').Length - 1));
        var got = await server.CallAsync("file", "get", "-r", "/up", local["back"]);
        Assert.Equal(0, got.ExitCode);
        Assert.Equal(Tree(local["tree"]), Tree(local["back"]));
        var again = await server.CallAsync("file", "put", "-r", local["tree"], "/up");
        Assert.Equal((6, ""), (again.ExitCode, again.Out));
        Assert.Contains("/up/deep/7: there is a file of this name", again.Error, StringComparison.Ordinal);

        Assert.Equal(6, (await server.CallAsync("file", "rm", "/up")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("file", "rm", "-r", "/up")).ExitCode); // Nobody is there to be asked.
        Assert.Equal(0, (await server.CallAsync("file", "rm", "-r", "/up", "--yes")).ExitCode);
        Assert.Equal("", await CallAsync("file", "ls", "-o", "name"));
    }

    [Fact]
    public async Task What_is_there_is_not_replaced_unless_that_is_said()
    {
        await File.WriteAllTextAsync(local["a"], "one");
        await CallAsync("file", "put", local["a"], "/a");
        Assert.Equal(6, (await server.CallAsync("file", "put", local["a"], "/a")).ExitCode);
        Assert.Equal(0, (await server.CallAsync("file", "put", local["a"], "/a", "--replace")).ExitCode);
        Assert.Equal(6, (await server.CallAsync("file", "get", "/a", local["a"])).ExitCode);
        Assert.Equal(0, (await server.CallAsync("file", "get", "/a", local["a"], "--replace")).ExitCode);
        Assert.Equal([local["a"]], Directory.GetFiles(local.DirectoryPath));
    }

    [Theory]
    [InlineData(5, "file", "stat", "/none")]
    [InlineData(5, "file", "cat", "/none")]
    [InlineData(2, "file", "stat", "/a/../b")]
    [InlineData(2, "file", "put", "/", "/a")]
    [InlineData(5, "file", "put", "/none/at/all", "/a")]
    [InlineData(2, "file", "ls", "--key-file", "/dev/null")]
    [InlineData(4, "file", "ls", "--customer", "acme")]
    [InlineData(5, "user", "list", "--customer", "ghost")]
    [InlineData(6, "node", "remove", "main")]
    [InlineData(6, "node", "lost", "main", "--yes")]
    public async Task It_ends_as_the_failure_says(int exitCode, params string[] words) =>
        Assert.Equal(exitCode, (await server.CallAsync(words)).ExitCode);

    [Fact]
    public async Task Without_the_data_directory_a_key_is_named()
    {
        string[] words = ["file", "ls", "--server", server.Status.Endpoints.Api];
        var none = await CalledProgram.RunAsync(words);
        Assert.Equal((4, true), (none.ExitCode, none.Error.Contains("a key is needed", StringComparison.Ordinal)));
        var key = (await File.ReadAllTextAsync($"{server.Data}/files/key")).Trim();
        var variable = new Dictionary<string, string> { ["ASHLAR_KEY"] = key };
        Assert.Equal(0, (await CalledProgram.RunAsync(variable, "", words)).ExitCode);
        Assert.Equal(0, (await CalledProgram.RunAsync([.. words, "--key-file", $"{server.Data}/files/key"])).ExitCode);
        variable["ASHLAR_KEY"] = $"{key}x";
        Assert.Equal(4, (await CalledProgram.RunAsync(variable, "", words)).ExitCode);
    }

    [Fact]
    public async Task A_customer_has_files_that_no_other_sees()
    {
        await CallAsync("customer", "create", "acme", "--quota", "1MiB");
        await CallAsync("user", "create", "backup", "--customer", "acme");
        var key = (await CallAsync("key", "create", "backup", "--customer", "acme", "-o", "name")).Trim();
        await File.WriteAllTextAsync(local["key"], key);
        await CallAsync("file", "mkdir", "/theirs", "--customer", "acme", "--key-file", local["key"]);
        Assert.Equal("", await CallAsync("file", "ls", "-o", "name"));
        Assert.Equal("/theirs/\n", await CallAsync("file", "ls", "--customer", "acme", "--key-file", local["key"], "-o", "name"));
        Assert.Equal(4, (await server.CallAsync("file", "ls", "--key-file", local["key"])).ExitCode);
        Assert.Equal(6, (await server.CallAsync("customer", "delete", "acme", "--yes")).ExitCode);
        await CallAsync("file", "rm", "/theirs", "--customer", "acme", "--key-file", local["key"]);
        Assert.Equal("acme is deleted\n", await CallAsync("customer", "delete", "acme", "--yes"));
    }

    async Task<string> CallAsync(params string[] words)
    {
        var outcome = await server.CallAsync(words);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', words)}: {outcome.ExitCode}: {outcome.Error}");
        return outcome.Out;
    }

    static string[] Tree(string root) =>
    [
        .. Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(path => $"{Path.GetRelativePath(root, path)} {HashOf(path)}"),
    ];

    static string HashOf(string path) => File.Exists(path) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))) : "";
}
