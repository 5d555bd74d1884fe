using Ashlar.Server.Tests.Snapshots;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Exports;

/// <summary><c>ashlar export</c> and <c>ashlar session</c> with a server and clients that are real.</summary>
public sealed class ExportCommandTests : IAsyncLifetime
{
    const string Secret = "twelve-bytes-or-more";

    readonly TemporaryDirectory directory = new();
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        server = await RunningProgram.StartInAsync(directory["data"]);
        await CallAsync("volume", "create", "vm1", "--size", "1MiB");
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Exports_hold_at_once_for_all_protocols_and_after_a_restart()
    {
        using var before = await NbdConnection.OpenAsync(server, "vm1");
        Assert.Equal(0u, await before.WriteAsync(0, new byte[512]));
        var created = await CallAsync(
            "export", "create", "lan", "--volume", "vm1", "--protocol", "nbd", "--address", "127.0.0.0/8", "--read-only");
        Assert.Contains("vm1 read-only by nbd", created, StringComparison.Ordinal);
        await MustEndAsync(before); // It could write, and may not any more.
        using (var reader = await NbdConnection.OpenAsync(server, "vm1"))
        {
            Assert.True(reader.IsReadOnly);
            Assert.Equal(1u, await reader.WriteAsync(0, new byte[512]));
            Assert.Equal(0u, (await reader.ReadAsync(0, 512)).Error);
            var session = (await server.CallAsync("session", "list", "-o", "json")).OutJson.GetProperty("items")[0];
            Assert.Equal("lan", session.GetProperty("export").GetString());
            Assert.Equal("nbd", session.GetProperty("protocol").GetString());
            Assert.Equal(512, session.GetProperty("readBytes").GetInt64());
            Assert.Equal("vm1", session.GetProperty("volume").GetString());
        }
        await server.DisposeAsync();
        server = await RunningProgram.StartInAsync(directory["data"]);
        await CallAsync("export", "set", "lan", "--address", "192.0.2.0/24");
        await Assert.ThrowsAnyAsync<IOException>(() => NbdConnection.OpenAsync(server, "vm1"));
        await CallAsync("volume", "rename", "vm1", "web1");
        await Assert.ThrowsAnyAsync<IOException>(() => NbdConnection.OpenAsync(server, "web1"));
        Assert.Contains("web1", await CallAsync("export", "show", "lan"), StringComparison.Ordinal);
        Assert.Equal("lan\n", await CallAsync("export", "list", "-o", "name"));
        await CallAsync("export", "delete", "lan");
        using var after = await NbdConnection.OpenAsync(server, "web1");
        Assert.False(after.IsReadOnly);
    }

    [Fact]
    public async Task Snapshots_are_exported_in_the_place_of_their_volume()
    {
        await CallAsync("snapshot", "create", "vm1@monday");
        await CallAsync("export", "create", "old", "--volume", "vm1", "--snapshot", "monday");
        await Assert.ThrowsAnyAsync<IOException>(() => NbdConnection.OpenAsync(server, "vm1"));
        using var reader = await NbdConnection.OpenAsync(server, "vm1@monday");
        Assert.True(reader.IsReadOnly);
        Assert.Equal(5, (await server.CallAsync("export", "create", "x", "--volume", "vm1", "--snapshot", "none")).ExitCode);
    }

    [Fact]
    public async Task Secrets_come_from_files_and_are_shown_nowhere()
    {
        await File.WriteAllTextAsync(directory["secret"], Secret + "\n");
        await CallAsync("export", "create", "a", "--volume", "vm1", "--chap", "host", "--chap-secret-file", directory["secret"]);
        var shown = await CallAsync("export", "show", "a", "-o", "json");
        Assert.Contains("\"host\"", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, shown + server.Log, StringComparison.Ordinal);
        Assert.Equal(2, (await server.CallAsync("export", "create", "b", "--volume", "vm1", "--chap", "host")).ExitCode);
        await CallAsync("export", "set", "a", "--no-chap");
        Assert.Contains("not asked for", await CallAsync("export", "show", "a"), StringComparison.Ordinal);
    }

    [FactIfTool("iscsi-ls", "iscsi-inq")]
    public async Task Libiscsi_finds_and_reaches_what_it_has_a_secret_for()
    {
        await CallAsync("volume", "create", "open", "--size", "1MiB");
        await File.WriteAllTextAsync(directory["secret"], Secret);
        await CallAsync("export", "create", "a", "--volume", "vm1", "--chap", "host", "--chap-secret-file", directory["secret"]);
        var portal = server.Status.Endpoints.Iscsi;
        var (stranger, known) = (ExternalTool.Run("iscsi-ls", $"iscsi://{portal}"), $"iscsi://host%{Secret}@{portal}");
        Assert.Contains(":main.open", stranger.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(":main.vm1", stranger.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, ExternalTool.Run("iscsi-inq", $"iscsi://{portal}/iqn.2026-11.io.ashlar:main.vm1/0").ExitCode);
        Assert.NotEqual(0, ExternalTool.Run("iscsi-inq", $"iscsi://{portal}/iqn.2026-11.io.ashlar:main.none/0").ExitCode);
        Assert.Contains(":main.vm1", ExternalTool.Run("iscsi-ls", known).MustSucceed(), StringComparison.Ordinal);
        ExternalTool.Run("iscsi-inq", $"iscsi://host%{Secret}@{portal}/iqn.2026-11.io.ashlar:main.vm1/0").MustSucceed();
    }

    [Theory]
    [InlineData(5, "export", "show", "none")]
    [InlineData(5, "export", "create", "a", "--volume", "none")]
    [InlineData(2, "export", "create", "a")]
    [InlineData(2, "export", "set", "a", "--read-only", "--read-write")]
    public async Task Wrong_words_and_what_there_is_not_are_said(int exitCode, params string[] words) =>
        Assert.Equal(exitCode, (await server.CallAsync(words)).ExitCode);

    async Task<string> CallAsync(params string[] words)
    {
        var outcome = await server.CallAsync(words);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return outcome.Out;
    }

    static async Task MustEndAsync(NbdConnection connection)
    {
        var end = DateTime.UtcNow + TimeSpan.FromSeconds(20);
        while (DateTime.UtcNow < end)
        {
            try
            {
                if (await connection.WriteAsync(0, new byte[512]) != 0) return;
            }
            catch (IOException)
            {
                return;
            }
        }
        Assert.Fail("it still writes");
    }
}
