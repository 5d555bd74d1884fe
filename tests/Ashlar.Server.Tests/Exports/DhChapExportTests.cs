using System.Net;
using Ashlar.Nvme;
using Ashlar.Nvme.Tests;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Exports;

/// <summary>Exports that hosts of NVMe need a secret for, with a server and hosts that are real.</summary>
public sealed class DhChapExportTests : IAsyncLifetime
{
    const string Volume = "nqn.2026-11.io.ashlar:main.vm1", None = "nqn.2026-11.io.ashlar:main.none";
    const string Secret = "DHHC-1:01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+KfiaR:";
    const string Other = "DHHC-1:02:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vcSEgBQ==:";

    readonly TemporaryDirectory directory = new();
    RunningProgram server = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(directory["secret"], Secret + "\n");
        await File.WriteAllTextAsync(directory["other"], Other + "\n");
        server = await RunningProgram.StartInAsync(directory["data"]);
        await CallAsync("volume", "create", "vm1", "--size", "1MiB");
    }

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task A_host_comes_by_the_export_whose_secret_it_has_also_after_a_restart()
    {
        await CreateAsync("a", "--dhchap-ctrl-secret-file", directory["other"]);
        var shown = await CallAsync("export", "show", "a");
        Assert.Contains("asked for; the controller answers", shown, StringComparison.Ordinal);
        Assert.Contains("nvme", shown, StringComparison.Ordinal);
        await server.DisposeAsync();
        server = await RunningProgram.StartInAsync(directory["data"]);

        Assert.Equal(AuthenticationFailure.Failed, Authenticate(Volume, Other));
        Assert.Equal(AuthenticationFailure.Failed, Authenticate(None, Secret)); // It asks as the other does.
        using var host = Connect(Volume);
        Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(host, Volume).Authenticate(Read(Secret), Read(Other)));
        var session = (await server.CallAsync("session", "list", "-o", "json")).OutJson.GetProperty("items")[0];
        Assert.Equal("a", session.GetProperty("export").GetString());

        // Discovery asks nothing, and tells nothing.
        using var discovery = Connect(NvmeNames.Discovery);
        discovery.Enable();
        Assert.Equal(0, discovery.Log(LogPage.Discovery, 1024).MustSucceed().Data[8]);

        // Whoever has the secret is as good as its export.
        await CallAsync("export", "set", "a", "--initiator", "nqn.2014-08.org.nvmexpress:uuid:another");
        host.MustBeClosed();
        Assert.Equal(AuthenticationFailure.Failed, Authenticate(Volume, Secret));
        var files = Directory.GetFiles(directory["data"] + "/system/exports").Select(File.ReadAllText).Append(server.Log).Append(shown);
        Assert.All(files, static text => Assert.DoesNotContain("AAECAwQFBgcI", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_export_has_its_secret_and_who_is_let_in_by_one_without_is_not_asked()
    {
        await CreateAsync("a", "--read-only");
        await CallAsync("export", "create", "b", "--volume", "vm1", "--dhchap-secret-file", directory["other"]);
        foreach (var (secret, export) in (ReadOnlySpan<(string, string)>)[(Secret, "a"), (Other, "b")])
        {
            using var host = Connect(Volume);
            Assert.Equal(AuthenticationFailure.None, new AuthenticatingHost(host, Volume).Authenticate(Read(secret)));
            host.Enable();
            Assert.Equal(export == "a" ? 1 : 0, host.Identify(0, 1).MustSucceed().Data[99]);
        }
        await CallAsync("export", "set", "a", "--no-dhchap");
        using var open = Connect(Volume);
        open.Enable();
        await CallAsync("export", "delete", "a");
        open.MustBeClosed();
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused()
    {
        await File.WriteAllTextAsync(directory["wrong"], "twelve bytes or more");
        var wrong = await server.CallAsync("export", "create", "a", "--volume", "vm1", "--dhchap-secret-file", directory["wrong"]);
        Assert.Contains("DHHC-1:<hash>:<base64>:", wrong.Error, StringComparison.Ordinal);
        Assert.Contains(
            "must differ", (await TryCreateAsync("--dhchap-ctrl-secret-file", directory["secret"])).Error, StringComparison.Ordinal);
        Assert.Contains("for nvme alone", (await TryCreateAsync("--protocol", "iscsi,nvme")).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await server.CallAsync(
            "export", "create", "a", "--volume", "vm1", "--dhchap-ctrl-secret-file", directory["secret"])).ExitCode);
        await CreateAsync("a");
        Assert.NotEqual(0, (await server.CallAsync("export", "set", "a", "--protocol", "nbd")).ExitCode);
    }

    async Task CreateAsync(string name, params string[] more) =>
        await CallAsync(["export", "create", name, "--volume", "vm1", "--dhchap-secret-file", directory["secret"], .. more]);

    Task<Outcome> TryCreateAsync(params string[] more) =>
        server.CallAsync(["export", "create", "a", "--volume", "vm1", "--dhchap-secret-file", directory["secret"], .. more]);

    AuthenticationFailure Authenticate(string subsystem, string secret)
    {
        using var host = Connect(subsystem);
        return new AuthenticatingHost(host, subsystem).Authenticate(Read(secret));
    }

    NvmeHost Connect(string subsystem)
    {
        var host = NvmeHost.Dial(IPEndPoint.Parse(server.Status.Endpoints.Nvme!), default);
        host.Connect(0, subsystem).MustSucceed();
        return host;
    }

    static DhChapSecret Read(string secret)
    {
        Assert.True(DhChapSecret.TryParse(secret, out var read, out var problem), problem);
        return read;
    }

    async Task<string> CallAsync(params string[] words)
    {
        var outcome = await server.CallAsync(words);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return outcome.Out;
    }
}
