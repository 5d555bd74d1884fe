using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// Real clients fill a pool. They are told "no space left" in the words of their protocol, and nothing else breaks: what they have
/// written is there, can be overwritten and flushed, and whoever discards goes on.
/// </summary>
public sealed class ExhaustedPoolTests
{
    const int Mebibyte = 1 << 20, PoolMebibytes = 64, VolumeMebibytes = 96;

    [TheoryIfClient]
    [InlineData("nbd", "No space left on device")]
    [InlineData("iscsi", "0x2707")] // SPACE ALLOCATION FAILED WRITE PROTECT; this libiscsi has no word for it.
    public void A_client_that_fills_a_pool_is_told_so_and_goes_on_when_it_has_discarded(string protocol, string asWhat)
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], $"{PoolMebibytes}MiB");
        server.Start();
        server.CreateVolume("vm1", $"{VolumeMebibytes}MiB");
        server.CreateVolume("vm2", $"{VolumeMebibytes}MiB");
        using (var client = Connect(server, protocol, "vm1"))
        {
            var written = 0;
            string? refusal = null;
            for (; written < VolumeMebibytes && refusal is null; written++) refusal = TryWrite(client, written, round: 1);
            written--;
            Assert.Contains(asWhat, refusal, StringComparison.Ordinal);
            Assert.InRange(written, PoolMebibytes - 4, PoolMebibytes);
            client.Flush();

            // Nothing else breaks: reads, overwriting, a neighbour that has nothing yet.
            for (var at = 0; at < written; at++) Check(client, at, round: 1);
            Assert.Null(TryWrite(client, 0, round: 2));
            client.Flush();
            using (var neighbour = Connect(server, protocol, "vm2"))
            {
                Assert.Contains(asWhat, TryWrite(neighbour, 0, round: 1), StringComparison.Ordinal);
                var zeros = new byte[Mebibyte];
                neighbour.Read(0, zeros);
                Assert.Equal(new byte[Mebibyte], zeros);
            }

            // Discarding lets it go on. What was discarded is free after the next commit.
            client.Trim(8 * Mebibyte, 8 * Mebibyte);
            client.Flush();
            Assert.True(SpinWait.SpinUntil(() => TryWrite(client, 90, round: 3) is null, TimeSpan.FromMinutes(1)), "no space was freed");
            client.Flush();
            Check(client, 90, round: 3);
        }

        server.Stop();
        server.Start();
        using (var client = Connect(server, protocol, "vm1"))
        {
            Check(client, 0, round: 2);
            Check(client, 7, round: 1);
            Check(client, 90, round: 3);
            var discarded = new byte[Mebibyte];
            client.Read(9 * Mebibyte, discarded);
            Assert.Equal(new byte[Mebibyte], discarded);
        }
        Assert.Contains("nothing wrong", server.Command("pool", "verify", "main"), StringComparison.Ordinal);
        Assert.Contains("nothing wrong", server.Command("pool", "scrub", "main"), StringComparison.Ordinal);
        server.Command("volume", "delete", "vm1", "vm2", "--yes");
        server.Stop();
    }

    static IBlockClient Connect(AshlarProcess server, string protocol, string volume) =>
        protocol == "nbd" ? server.ConnectNbd(volume) : server.ConnectIscsi(volume, session: 1);

    // Why it was refused.
    static string? TryWrite(IBlockClient client, int at, int round)
    {
        try
        {
            client.Write((long)at * Mebibyte, Content(at, round), forceUnitAccess: false);
            return null;
        }
        catch (ClientException e)
        {
            return e.Message;
        }
    }

    static void Check(IBlockClient client, int at, int round)
    {
        var found = new byte[Mebibyte];
        client.Read((long)at * Mebibyte, found);
        Assert.True(Content(at, round).AsSpan().SequenceEqual(found), $"MiB {at}");
    }

    static byte[] Content(int at, int round) => new SeededRandom((ulong)((round * 1000) + at)).Bytes(Mebibyte);

    sealed class TheoryIfClientAttribute : TheoryAttribute
    {
        public TheoryIfClientAttribute()
        {
            if (ExternalTool.WhyNot(NbdClient.Library, IscsiClient.Library) is { } reason)
                Skip = TestGroups.NotRun(TestGroups.Interop, reason);
        }
    }
}
