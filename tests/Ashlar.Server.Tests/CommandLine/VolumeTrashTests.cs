using System.Text.Json;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary><c>ashlar volume delete, undelete, trash</c> against a running server.</summary>
public sealed class VolumeTrashTests : IAsyncLifetime
{
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "16MiB");
        await NbdWriter.WriteAsync(server, "vm1", (0, Enumerable.Repeat((byte)7, 65536).ToArray()));
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_deleted_volume_is_listed_and_comes_back_with_what_was_on_it()
    {
        var before = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson;
        Assert.Equal("vm1 is in the trash\n", (await server.CallAsync("volume", "delete", "vm1", "--yes")).Out);
        Assert.Equal("", (await server.CallAsync("volume", "list", "-q")).Out);
        Assert.Matches(
            @"^NAME +SIZE +USED +DELETED +EXPIRES +ID\nvm1 +16\.00 MiB +64\.00 KiB +20\S+Z +20\S+Z +[0-9a-f-]{36}\n$",
            (await server.CallAsync("volume", "trash", "list")).Out);
        Assert.Matches(
            @"\nTrash +1 volume with 64\.00 KiB, taken when space is needed; ", (await server.CallAsync("pool", "show", "main")).Out);
        Assert.Equal("vm1 is back: 16.00 MiB, 64.00 KiB used\n", (await server.CallAsync("volume", "undelete", "vm1")).Out);
        var after = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson;
        foreach (var name in (string[])["id", "sizeBytes", "allocatedBytes", "createdAt"])
            Assert.Equal(before.GetProperty(name).ToString(), after.GetProperty(name).ToString());
        var empty = await server.CallAsync("volume", "trash", "list");
        Assert.Equal((0, "", "The trash is empty.\n"), (empty.ExitCode, empty.Out, empty.Error));
        await server.StopAsync();
        Assert.Contains("volume main/vm1: deleted, in the trash until ", server.Log, StringComparison.Ordinal);
        Assert.Contains("volume main/vm1: restored from the trash, ", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_with_a_name_the_last_comes_back_and_others_by_their_id_or_under_another_name()
    {
        await server.CallAsync("volume", "delete", "vm1", "--yes");
        await server.CallAsync("volume", "create", "vm1", "--size", "2MiB");
        await server.CallAsync("volume", "delete", "main/vm1", "--yes");
        await server.CallAsync("volume", "create", "vm1", "--size", "4MiB");
        var taken = await server.CallAsync("volume", "undelete", "vm1");
        Assert.Equal((6, "error: volume main/vm1 exists already\nhint: restore it under another name\n"), (taken.ExitCode, taken.Error));
        Assert.Equal("vm2 is back: 2.00 MiB, 0 B used\n", (await server.CallAsync("volume", "undelete", "vm1", "--as", "vm2")).Out);
        var trash = (await server.CallAsync("volume", "trash", "list", "-o", "json")).OutJson.GetProperty("items");
        var id = Assert.Single(trash.EnumerateArray()).GetProperty("id").GetString()!;
        Assert.Equal("old is back: 16.00 MiB, 64.00 KiB used\n", (await server.CallAsync("volume", "undelete", id, "--as", "old")).Out);
        var missing = await server.CallAsync("volume", "undelete", "vm1");
        Assert.Equal((5, "error: vm1 is not in the trash\n"), (missing.ExitCode, missing.Error.Split("hint")[0]));
        Assert.Equal(2, (await server.CallAsync("volume", "undelete", "a/b/c")).ExitCode);
    }

    [Fact]
    public async Task What_is_deleted_now_or_emptied_is_gone_for_good()
    {
        Assert.Equal("vm1 is deleted for good\n", (await server.CallAsync("volume", "delete", "vm1", "--now", "--yes")).Out);
        foreach (var name in (string[])["a", "b", "c"])
        {
            await server.CallAsync("volume", "create", name, "--size", "1MiB");
            await server.CallAsync("volume", "delete", name, "--yes");
        }
        var refused = await server.CallAsync("volume", "trash", "empty");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("this must be confirmed", refused.Error, StringComparison.Ordinal);
        Assert.Equal("b is deleted for good\n", (await server.CallAsync("volume", "trash", "empty", "b", "--yes")).Out);
        Assert.Equal(5, (await server.CallAsync("volume", "trash", "empty", "b", "--yes")).ExitCode);
        Assert.Equal("a is deleted for good\nc is deleted for good\n", (await server.CallAsync("volume", "trash", "empty", "--yes")).Out);
        Assert.Equal(0, (await server.CallAsync("volume", "trash", "empty", "--yes")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("volume", "trash", "empty", "a", "--pool", "main", "--yes")).ExitCode);
    }

    [Fact]
    public async Task The_question_names_size_data_and_where_it_goes()
    {
        var asked = await AskAsync("volume", "delete", "vm1");
        Assert.Equal(130, asked.ExitCode);
        Assert.Contains(
            "Delete volume vm1 of 16.00 MiB and the 64.00 KiB on it to the trash? [y/N] ", asked.Error, StringComparison.Ordinal);
        Assert.Contains("on it for good? [y/N] ", (await AskAsync("volume", "delete", "vm1", "--now")).Error, StringComparison.Ordinal);
        await server.CallAsync("pool", "set", "main", "--trash", "none");
        Assert.Contains("on it for good? [y/N] ", (await AskAsync("volume", "delete", "vm1")).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await server.CallAsync("volume", "delete", "vm1")).ExitCode);
        Assert.Equal("vm1\n", (await server.CallAsync("volume", "list", "-q")).Out);

        Task<Outcome> AskAsync(params string[] words) =>
            CalledProgram.RunAsync(new Surroundings { Typed = "n\n" }, [.. words, "--data", server.Data]);
    }

    [Fact]
    public async Task Pool_and_volume_say_for_how_long()
    {
        Assert.Equal(
            "main: deleted volumes stay there for 7 days 0 h\n", (await server.CallAsync("pool", "set", "main", "--trash", "7d")).Out);
        Assert.Equal(
            604_800, (await server.CallAsync("pool", "show", "main", "-o", "json")).OutJson.GetProperty("trashSeconds").GetInt64());
        Assert.Equal("vm1: no labels; in the trash for 2 h 0 min\n", (await server.CallAsync("volume", "set", "vm1", "--trash", "2h")).Out);
        await server.CallAsync("volume", "delete", "vm1", "--yes");
        var trashed = (await server.CallAsync("volume", "trash", "list", "-o", "json")).OutJson.GetProperty("items")[0];
        var deletedAt = trashed.GetProperty("deletedAt").GetDateTimeOffset();
        Assert.Equal(TimeSpan.FromHours(2), trashed.GetProperty("expiresAt").GetDateTimeOffset() - deletedAt);
        await server.CallAsync("volume", "undelete", "vm1");
        await server.CallAsync("volume", "set", "vm1", "--trash", "pool");
        Assert.False((await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.TryGetProperty("trashSeconds", out _));
        await server.CallAsync("volume", "set", "vm1", "--trash", "none");
        Assert.Equal("vm1 is deleted for good\n", (await server.CallAsync("volume", "delete", "vm1", "--yes")).Out);
        Assert.Equal(2, (await server.CallAsync("pool", "set", "main", "--trash", "11y")).ExitCode);
        Assert.Equal(2, (await server.CallAsync("pool", "set", "main")).ExitCode);
    }

    [Fact]
    public async Task Another_program_sees_the_same_objects()
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Status.Endpoints.Api) };
        using var deleted = await http.DeleteAsync("/v1/pools/main/volumes/vm1");
        Assert.Equal(204, (int)deleted.StatusCode);
        var place = deleted.Headers.Location!.OriginalString;
        Assert.StartsWith("/v1/pools/main/trash/", place, StringComparison.Ordinal);
        var trashed = JsonDocument.Parse(await http.GetStringAsync(place)).RootElement;
        Assert.Equal(("TrashedVolume", "vm1"), (trashed.GetProperty("kind").GetString(), trashed.GetProperty("name").GetString()));
        Assert.Equal(
            65536, JsonDocument.Parse(await http.GetStringAsync("/v1/pools/main")).RootElement.GetProperty("trashBytes").GetInt64());
        Assert.Equal(404, (int)(await http.GetAsync("/v1/pools/main/trash/nonsense")).StatusCode);
        Assert.Equal(404, (int)(await http.DeleteAsync($"/v1/pools/main/trash/{Guid.Empty}")).StatusCode);
        using var body = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(200, (int)(await http.PostAsync($"{place}/restore", body)).StatusCode);
        using var again = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        Assert.Equal(404, (int)(await http.PostAsync($"{place}/restore", again)).StatusCode);
    }
}
