using Ashlar.KeyValue;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>Keyspaces, ranges, conditions and times to live from the shell, on the real disk.</summary>
public sealed class KeyValueKeyspaceTests : IDisposable
{
    readonly TemporaryDirectory directory = new();
    readonly string store;

    public KeyValueKeyspaceTests() => store = directory["store"];

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Keyspaces_are_created_listed_and_dropped()
    {
        await Run("create", store);
        Assert.Equal("", (await Run("keyspace", "list", store, "-q")).Out);
        Assert.Equal("keyspace users is created\n", (await Run("keyspace", "create", store, "users")).Out);
        var created = (await Run("keyspace", "create", store, "or ders", "-o", "json")).OutJson;
        Assert.Equal(
            ("KeyValueKeyspace", "or ders", store),
            (created.GetProperty("kind").GetString(), created.GetProperty("name").GetString(), created.GetProperty("path").GetString()));
        Assert.Equal("NAME\nor ders\nusers\n", (await Run("keyspace", "list", store)).Out);
        Assert.Equal("users\nor ders\n", (await Run("keyspace", "ls", store, "--reverse", "-o", "name")).Out);
        var list = (await Run("keyspace", "list", store, "-o", "json", "--filter", "name=u*")).OutJson;
        Assert.Equal("KeyValueKeyspaceList", list.GetProperty("kind").GetString());
        Assert.Equal("users", Assert.Single(list.GetProperty("items").EnumerateArray().ToArray()).GetProperty("name").GetString());
        Assert.Matches(@"\nKeyspaces +2\n", (await Run("stats", store)).Out);
        Assert.Equal(2, (await Run("stats", store, "-o", "json")).OutJson.GetProperty("keyspaces").GetInt32());

        await Run("put", store, "a", "1", "--keyspace", "users");
        await Run("put", store, "a", "outside");
        var unconfirmed = await Call("keyspace", "drop", store, "users");
        Assert.Equal((2, "hint: add --yes\n"), (unconfirmed.ExitCode, unconfirmed.Error.Split("terminal\n")[^1]));
        var surroundings = new Surroundings { Typed = "n\n" };
        var refused = await CalledProgram.RunAsync(surroundings, "kv", "keyspace", "drop", store, "users");
        Assert.Equal(130, refused.ExitCode);
        Assert.StartsWith($"Drop keyspace 'users' of {store} and all of its keys? [y/N] ", refused.Error, StringComparison.Ordinal);
        Assert.Equal("a\t1\n", (await Run("scan", store, "--keyspace", "users")).Out);
        Assert.Equal("keyspace users is dropped\n", (await Run("keyspace", "rm", store, "users", "--yes")).Out);
        Assert.Equal("or ders\n", (await Run("keyspace", "list", store, "-q")).Out);
        await Run("keyspace", "create", store, "users");
        Assert.Equal(("", "a\toutside\n"), ((await Run("scan", store, "--keyspace", "users")).Out, (await Run("scan", store)).Out));
    }

    [Fact]
    public async Task What_acts_on_entries_acts_on_those_of_a_keyspace()
    {
        await Run("create", store);
        await Run("keyspace", "create", store, "users");
        await Run("put", store, "a", "outside");
        Assert.Equal(
            "users", (await Run("put", store, "a", "1", "--keyspace", "users", "-o", "json")).OutJson.GetProperty("keyspace").GetString());
        await File.WriteAllTextAsync(directory["more.tsv"], "b\t2\nc\t3\nd\t4\n");
        await Run("load", store, "--keyspace", "users", "--file", directory["more.tsv"]);
        Assert.Equal("1\n", (await Run("get", store, "a", "--keyspace", "users")).Out);
        Assert.Equal("b\t2\n", (await Run("scan", store, "--keyspace", "users", "--from", "b", "--to", "c")).Out);
        await Run("delete", store, "d", "--keyspace", "users");
        Assert.Equal("a\nb\nc\n", (await Run("scan", store, "--keyspace", "users", "-o", "name")).Out);
        Assert.Equal("a\toutside\n", (await Run("scan", store)).Out);
        var absent = await Call("get", store, "d", "--keyspace", "users");
        Assert.Equal((5, "error: there is no key 'd' in keyspace 'users'\n"), (absent.ExitCode, absent.Error));
        var names = await Call("get", store, "d", "--keyspace", "user");
        Assert.Equal(
            (5, $"error: there is no keyspace 'user' in {store}\nhint: list them with: ashlar kv keyspace list {store}\n"),
            (names.ExitCode, names.Error));
        Assert.Contains(
            $"hint: create it with: ashlar kv keyspace create {store} user\n",
            (await Call("put", store, "d", "1", "--keyspace", "user")).Error, StringComparison.Ordinal);
        Assert.Equal(["users"], Names());
        await Run("backup", store, directory["backups"]);
        await Run("restore", directory["backups"], directory["restored"]);
        Assert.Equal("a\t1\nb\t2\nc\t3\n", (await Run("scan", directory["restored"], "--keyspace", "users")).Out);
    }

    [Theory, InlineData(), InlineData("--shards", "3")]
    public async Task A_range_is_deleted_at_once_and_everything_only_when_it_is_asked_for(params string[] layout)
    {
        await Run(["create", store, .. layout]);
        foreach (var key in (string[])["a1", "a2", "b", "c", "d"]) await Run("put", store, key, "x", "--durability", "relaxed");
        Assert.Equal("keys that begin with 'a' are deleted\n", (await Run("delete", store, "--prefix", "a")).Out);
        Assert.Equal("b\nc\nd\n", (await Run("scan", store, "-o", "name")).Out);
        Assert.Equal("keys from 'b' up to 'c' are deleted\n", (await Run("delete", store, "--from", "b", "--to", "c")).Out);
        Assert.Equal("keys from '64' on are deleted\n", (await Run("delete", store, "--from", "64", "--hex")).Out);
        Assert.Equal("c\n", (await Run("scan", store, "-o", "name")).Out);
        Assert.Equal(2, (await Call("delete", store, "--from", "")).ExitCode);
        Assert.Equal(2, (await Call("delete", store, "--all")).ExitCode);
        Assert.Equal("c\n", (await Run("scan", store, "-o", "name")).Out);
        var change = (await Run("delete", store, "--all", "--yes", "-o", "json")).OutJson;
        Assert.Equal(("delete", false), (change.GetProperty("operation").GetString(), change.TryGetProperty("entries", out _)));
        Assert.Equal("", (await Run("scan", store, "-o", "name")).Out);
    }

    [Fact]
    public async Task Everything_is_of_one_keyspace_or_of_none()
    {
        await Run("create", store);
        await Run("keyspace", "create", store, "users");
        await Run("put", store, "a", "outside");
        await Run("put", store, "a", "1", "--keyspace", "users");
        var surroundings = new Surroundings { Typed = "y\n" };
        var asked = await CalledProgram.RunAsync(surroundings, "kv", "delete", store, "--all");
        Assert.Equal((0, "all keys are deleted\n"), (asked.ExitCode, asked.Out));
        Assert.StartsWith($"Delete every key of {store} that is in no keyspace? ", asked.Error, StringComparison.Ordinal);
        Assert.Equal(("", "a\t1\n"), ((await Run("scan", store)).Out, (await Run("scan", store, "--keyspace", "users")).Out));
        await Run("put", store, "a", "outside");
        await Run("delete", store, "--all", "--keyspace", "users", "--yes");
        Assert.Equal(("a\toutside\n", ""), ((await Run("scan", store)).Out, (await Run("scan", store, "--keyspace", "users")).Out));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_write_may_depend_on_what_the_key_holds(bool isInKeyspace)
    {
        await Run("create", store);
        await Run("keyspace", "create", store, "users");
        string[] where = isInKeyspace ? ["--keyspace", "users"] : [];
        await Run(["put", store, "a", "1", "--if-absent", .. where]);
        var present = await Call(["put", store, "a", "2", "--if-absent", .. where]);
        Assert.Equal(6, present.ExitCode);
        var entry = (await Run(["get", store, "a", "-o", "json", .. where])).OutJson;
        var sequence = entry.GetProperty("sequence").GetInt64();
        Assert.Equal($"error: the key 'a' is there already, with sequence {sequence}\n", present.Error);
        Assert.False(entry.TryGetProperty("expiresAt", out _));
        var put = (await Run(["put", store, "a", "2", "--if-sequence", $"{sequence}", "--ttl", "1d", "-o", "json", .. where])).OutJson;
        var next = put.GetProperty("sequence").GetInt64();
        Assert.True(next > sequence);
        foreach (var words in (string[][])[["put", store, "a", "3"], ["delete", store, "a"]])
        {
            var changed = await Call([.. words, "--if-sequence", $"{sequence}", .. where]);
            Assert.Equal(6, changed.ExitCode);
            Assert.StartsWith(
                $"error: the key 'a' has sequence {next}, not {sequence}: somebody", changed.Error, StringComparison.Ordinal);
        }

        entry = (await Run(["get", store, "a", "-o", "json", .. where])).OutJson;
        Assert.Equal(("2", next), (entry.GetProperty("value").GetString(), entry.GetProperty("sequence").GetInt64()));
        Assert.True(entry.GetProperty("expiresAt").GetDateTimeOffset() > DateTimeOffset.UtcNow);
        await Run(["delete", store, "a", "--if-sequence", $"{next}", .. where]);
        Assert.Equal(5, (await Call(["get", store, "a", .. where])).ExitCode);
        var gone = await Call(["delete", store, "a", "--if-sequence", $"{next}", .. where]);
        Assert.Equal(6, gone.ExitCode);
        Assert.Contains("is not there any more", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_is_given_another_time_to_live()
    {
        await Run("create", store);
        await Run("keyspace", "create", store, "users");
        await Run("put", store, "a", "outside");
        await Run("put", store, "a", "1", "--keyspace", "users");
        var change = (await Run("expire", store, "a", "2h", "--keyspace", "users", "-o", "json")).OutJson;
        Assert.InRange(
            change.GetProperty("expiresAt").GetDateTimeOffset() - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(100), TimeSpan.FromHours(2));
        var entry = (await Run("get", store, "a", "--keyspace", "users", "-o", "json")).OutJson;
        Assert.Equal(
            ("1", change.GetProperty("expiresAt").GetString(), change.GetProperty("sequence").GetInt64()),
            (entry.GetProperty("value").GetString(), entry.GetProperty("expiresAt").GetString(), entry.GetProperty("sequence").GetInt64()));
        Assert.Equal("a does not expire\n", (await Run("expire", store, "a", "never", "--keyspace", "users")).Out);
        entry = (await Run("get", store, "a", "--keyspace", "users", "-o", "json")).OutJson;
        Assert.Equal(("1", false), (entry.GetProperty("value").GetString(), entry.TryGetProperty("expiresAt", out _)));
        var gone = await Run("expire", store, "a", "1ms", "--keyspace", "users");
        Assert.StartsWith("a expires at ", gone.Out, StringComparison.Ordinal); // Though by now it has.
        var expired = await Call("expire", store, "a", "1d", "--keyspace", "users");
        Assert.Equal((5, "error: there is no key 'a' in keyspace 'users'\n"), (expired.ExitCode, expired.Error));
        Assert.Equal("outside\n", (await Run("get", store, "a")).Out);
    }

    [Theory]
    [InlineData(2, "KEY is missing", "delete", "STORE")]
    [InlineData(2, "cannot be combined", "delete", "STORE", "a", "--prefix", "b")]
    [InlineData(2, "cannot be combined", "delete", "STORE", "a", "--all", "--yes")]
    [InlineData(2, "--prefix cannot be combined", "delete", "STORE", "--prefix", "a", "--from", "b")]
    [InlineData(2, "--from is after --to", "delete", "STORE", "--from", "b", "--to", "a")]
    [InlineData(2, "this range is every key", "delete", "STORE", "--from", "00", "--hex")]
    [InlineData(2, "this range has no keys", "delete", "STORE", "--from", "a", "--to", "a")]
    [InlineData(2, "--prefix is empty", "delete", "STORE", "--prefix", "")]
    [InlineData(2, "--from is empty", "delete", "STORE", "--from", "", "--to", "b")]
    [InlineData(2, "--to is empty", "scan", "STORE", "--to", "")]
    [InlineData(2, "--if-sequence is for one key", "delete", "STORE", "a", "b", "--if-sequence", "1")]
    [InlineData(2, "--if-sequence is for one key", "delete", "STORE", "--prefix", "b", "--if-sequence", "1")]
    [InlineData(2, "--if-sequence: '0' is not a number", "delete", "STORE", "a", "--if-sequence", "0")]
    [InlineData(2, "cannot be combined", "put", "STORE", "a", "1", "--if-absent", "--if-sequence", "1")]
    [InlineData(2, "TIME: 'soon' is not a time", "expire", "STORE", "a", "soon")]
    [InlineData(2, "TIME is missing", "expire", "STORE", "a")]
    [InlineData(5, "there is no key 'a'", "expire", "STORE", "a", "1h")]
    [InlineData(5, "there is no keyspace 'users'", "keyspace", "drop", "STORE", "users", "--yes")]
    [InlineData(5, "there is no keyspace 'USERS'", "scan", "STORE", "--keyspace", "USERS")]
    [InlineData(5, "there is no such directory", "keyspace", "list", "NEW")]
    [InlineData(2, "is not the name of a keyspace", "keyspace", "create", "STORE", "")]
    [InlineData(2, "--keyspace: '' is not the name of a keyspace", "get", "STORE", "a", "--keyspace", "")]
    [InlineData(2, "has 1 to 255 bytes, not 256", "keyspace", "create", "STORE", "LONG")]
    [InlineData(6, "there is a keyspace 'orders'", "keyspace", "create", "STORE", "orders")]
    [InlineData(6, "FF FF FF FF", "put", "STORE", "ffffffff01", "00", "--hex")]
    [InlineData(2, "sharded stores have no keyspaces", "keyspace", "create", "SHARDED", "users")]
    [InlineData(2, "sharded stores have no keyspaces", "put", "SHARDED", "a", "b", "--keyspace", "users")]
    public async Task A_request_that_cannot_be_carried_out_is_one_clear_line(int exitCode, string message, params string[] words)
    {
        await Run("create", store);
        await Run("keyspace", "create", store, "orders");
        if (words.Contains("SHARDED")) await Run("create", directory["sharded"], "--shards", "2");
        var outcome = await Call([.. words.Select(word => word switch
        {
            "STORE" => store,
            "NEW" => directory["new"],
            "SHARDED" => directory["sharded"],
            "LONG" => new string('x', 256),
            _ => word,
        })]);
        Assert.Equal((exitCode, ""), (outcome.ExitCode, outcome.Out));
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
        Assert.InRange(outcome.Error.Count(letter => letter == '\n'), 1, 2);
        Assert.Equal(["orders"], Names());
    }

    [Fact]
    public async Task A_store_without_keyspaces_stays_one_however_it_is_asked_for_them()
    {
        await Run("create", store);
        await Run("put", store, "ffffffff01", "00", "--hex");
        await Run("keyspace", "list", store);
        Assert.Equal(5, (await Call("put", store, "a", "1", "--keyspace", "users")).ExitCode);
        Assert.DoesNotContain("Keyspaces", (await Run("stats", store)).Out, StringComparison.Ordinal);
        Assert.Equal("ffffffff01\n", (await Run("scan", store, "-o", "name", "--hex")).Out);
        var inTheWay = await Call("keyspace", "create", store, "users"); // Its key lies where those of keyspaces would.
        Assert.Equal((6, ""), (inTheWay.ExitCode, inTheWay.Out));
        Assert.Equal("ffffffff01\n", (await Run("scan", store, "-o", "name", "--hex")).Out);
        await Run("create", directory["sharded"], "--shards", "2");
        Assert.Equal("", (await Run("keyspace", "list", directory["sharded"], "-q")).Out);
    }

    [Fact]
    public async Task Names_of_keyspaces_are_completed_as_long_as_nobody_has_the_store_open()
    {
        await Run("create", store);
        foreach (var name in (string[])["users", "user.old", "$(touch x)"]) await Run("keyspace", "create", store, name);
        Assert.Equal(["user.old", "users", ":none"], await CompleteAsync("keyspace", "drop", store, "us"));
        Assert.Equal(["user.old", "users", ":none"], await CompleteAsync("put", store, "a", "1", "--keyspace", ""));
        Assert.Equal(["--keyspace=users", ":none"], await CompleteAsync("scan", store, "--keyspace=users"));
        Assert.Equal([":none"], await CompleteAsync("keyspace", "create", store, ""));
        Assert.Equal([":none"], await CompleteAsync("keyspace", "drop", directory["nowhere"], ""));
        using var opened = KeyValueStore.Open(store);
        Assert.Equal([":none"], await CompleteAsync("scan", store, "--keyspace", ""));
    }

    static async Task<string[]> CompleteAsync(params string[] words)
    {
        var result = await CalledProgram.RunAsync(["__complete", "--", "kv", .. words]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out.TrimEnd('\n').Split('\n');
    }

    IReadOnlyList<string> Names()
    {
        using var opened = KeyValueStore.Open(store, new() { ReadOnly = true });
        return opened.ListKeyspaces();
    }

    static async Task<Outcome> Run(params string[] words)
    {
        var outcome = await Call(words);
        Assert.True(outcome.ExitCode == 0, $"{string.Join(' ', words)}: {outcome.Error}");
        return outcome;
    }

    static Task<Outcome> Call(params string[] words) => CalledProgram.RunAsync(["kv", .. words]);
}
