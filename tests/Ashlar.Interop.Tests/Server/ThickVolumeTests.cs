using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Server;

/// <summary>Thick volumes of the built program, on real file systems: all of their space is there, or they are not.</summary>
public sealed class ThickVolumeTests(ITestOutputHelper output)
{
    const string Volumes = "/v1/pools/main/volumes", Pool = "/v1/pools/main";
    const long SizeBytes = 3L << 30;

    // A server that does not get there in so long hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task One_whose_creation_a_kill_cuts_off_is_gone_at_the_next_start()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "4GiB");
        var interrupted = 0;
        for (var attempt = 0; attempt < 8 && interrupted < 3; attempt++)
        {
            server.Start();
            using var http = new HttpClient { BaseAddress = server.Api, Timeout = LongestWait };
            await WaitAsync(async () => await NumberAsync(http, Pool, "allocatedBytes") == 0); // Of the kill before.
            var creation = http.PostAsJsonAsync(Volumes, new { name = "thick", sizeBytes = SizeBytes, isThick = true });
            var moment = SizeBytes / 16 * attempt;
            await WaitAsync(async () => creation.IsCompleted || await NumberAsync(http, Pool, "allocatedBytes") > moment);
            Assert.True(server.Kill());
            var isAnswered = await Record.ExceptionAsync(async () => (await creation).EnsureSuccessStatusCode()) is null;

            server.Start();
            using var again = new HttpClient { BaseAddress = server.Api, Timeout = LongestWait };
            using var found = await again.GetAsync($"{Volumes}/thick");
            Assert.True(!isAnswered || found.StatusCode == HttpStatusCode.OK, "a volume that was promised is gone");
            if (found.StatusCode == HttpStatusCode.OK)
            {
                Assert.Equal(SizeBytes, await NumberAsync(again, $"{Volumes}/thick", "allocatedBytes")); // It came to its end.
                Assert.Equal(HttpStatusCode.NoContent, (await again.DeleteAsync($"{Volumes}/thick?now=true")).StatusCode);
            }
            else
            {
                interrupted++;
            }

            server.Stop();
        }

        output.WriteLine($"{interrupted} creations were cut off");
        Assert.True(interrupted > 0, "no kill came before the end of a creation");
        server.Start();
        using var last = new HttpClient { BaseAddress = server.Api, Timeout = LongestWait };
        await WaitAsync(async () => await NumberAsync(last, Pool, "allocatedBytes") == 0);
        using var created = await last.PostAsJsonAsync(Volumes, new { name = "thick", sizeBytes = SizeBytes, isThick = true });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        server.Stop();
    }

    [FullDiskTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Its_writes_never_run_out_of_space_while_neighbours_fill_the_disk(bool isKilled)
    {
        const int mebibytes = 64;
        using var disk = new MemoryVolume(256);
        using var server = new AshlarProcess(Path.Combine(disk.Path, "data"), "128MiB");
        server.Start();
        server.Command("volume", "create", "thick", "--size", $"{mebibytes}MiB", "--thick");
        server.CreateVolume("thin", $"{mebibytes}MiB");
        var neighbour = Path.Combine(disk.Path, "neighbour");
        Fill(neighbour);
        if (isKilled)
        {
            Assert.True(server.Kill());
            server.Start();
            Fill(neighbour);
        }

        using (var thin = server.ConnectNbd("thin")) Assert.Throws<ClientException>(() => Write(thin, 0));
        for (var round = 1; round < 4; round++)
        {
            using var thick = server.ConnectNbd("thick");
            Write(thick, round);
            Check(thick, round);
            thick.Trim(1 << 20, 16 << 20); // Gives nothing back.
            Fill(neighbour);
        }

        using (var thick = server.ConnectNbd("thick")) Write(thick, 9);
        server.Stop();
        server.Start();
        using (var thick = server.ConnectNbd("thick")) Check(thick, 9);
        server.Stop();

        void Write(IBlockClient client, int round)
        {
            for (var at = 0; at < mebibytes; at++)
            {
                client.Write((long)at << 20, Content(at, round), forceUnitAccess: false);
                client.Flush();
            }
        }

        static void Check(IBlockClient client, int round)
        {
            var found = new byte[1 << 20];
            for (var at = 0; at < mebibytes; at++)
            {
                client.Read((long)at << 20, found);
                Assert.True(Content(at, round).AsSpan().SequenceEqual(found), $"MiB {at} of round {round}");
            }
        }
    }

    static byte[] Content(int at, int round) => new SeededRandom((ulong)((round * 1000) + at)).Bytes(1 << 20);

    // As others do who take what is free.
    static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        try
        {
            while (true) file.Write(page);
        }
        catch (IOException)
        {
            // The disk is full.
        }
    }

    static async Task WaitAsync(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(LongestWait);
        while (!await isSo()) patience.Token.ThrowIfCancellationRequested();
    }

    static async Task<long> NumberAsync(HttpClient http, string url, string member)
    {
        using var json = JsonDocument.Parse(await http.GetStringAsync(url));
        return json.RootElement.GetProperty(member).GetInt64();
    }
}
