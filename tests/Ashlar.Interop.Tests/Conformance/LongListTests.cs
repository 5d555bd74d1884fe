using System.Net;
using System.Net.Http.Json;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Conformance;

/// <summary>Clients list the volumes of a server that has very many.</summary>
public sealed class LongListTests : IDisposable
{
    // A program that does not get there in so long hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly AshlarProcess server;

    public LongListTests() => server = new AshlarProcess(directory["data"], "1GiB");

    // It asks two options about each export, and sends each in pieces that wait until the ones before are acknowledged.
    [FactIfTool("qemu-nbd")]
    public async Task Qemu_nbd_lists_every_volume()
    {
        var count = TestTier.Choose(1000, 10_000);
        await StartWithAsync(count);
        var list = ExternalTool.Run(LongestWait, "qemu-nbd", "--list", "-b", "127.0.0.1", "-p", $"{server.NbdEndPoint.Port}").MustSucceed();
        Assert.Equal(Names(count), Between(list, " export: '", "'"));
        Assert.DoesNotContain("handshake", server.Log, StringComparison.Ordinal);
    }

    // For each export it waits a fifth of a second in its own kernel, whoever serves: the list takes longer than a client may be silent.
    [FactIfTool("nbdinfo")]
    public async Task Nbdinfo_lists_every_volume()
    {
        var count = TestTier.Choose(60, 1000);
        await StartWithAsync(count);
        var list = ExternalTool.Run(LongestWait, "nbdinfo", "--list", server.NbdUri("")).MustSucceed();
        Assert.Equal(Names(count), Between(list, "export=\"", "\""));
        Assert.DoesNotContain("handshake", server.Log, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        server.Dispose();
        directory.Dispose();
    }

    async Task StartWithAsync(int count)
    {
        server.Start();
        using var http = new HttpClient { BaseAddress = server.Api };
        await Parallel.ForEachAsync(Names(count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (name, cancellationToken) =>
        {
            using var created = await http.PostAsJsonAsync("/v1/pools/main/volumes", new { name, sizeBytes = 1 << 20 }, cancellationToken);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        });
    }

    static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(number => $"vol{number:D5}");

    static IEnumerable<string> Between(string text, string before, string after) =>
        text.Split(before).Skip(1).Select(rest => rest[..rest.IndexOf(after, StringComparison.Ordinal)]).Order(StringComparer.Ordinal);
}
