using Ashlar.Simulation;
using Ashlar.TestKit;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Connections;

public sealed class ConcurrencyTests
{
    [Theory, Seeds(3)]
    public async Task Many_connections_at_once_echo_every_byte(ulong seed)
    {
        const int clients = 64;
        await using var fixture = new ListenerFixture(maxConnections: clients);
        var works = Enumerable.Range(0, clients)
            .Select(
                index =>
                    Task.Factory.StartNew(
                        () => Exchange(fixture, SeededRandom.For(seed, $"client {index}")), TaskCreationOptions.LongRunning))
            .ToArray();
        await Task.WhenAll(works).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(fixture.Reports.Count == 0, $"seed {seed}: {string.Join('\n', fixture.Reports)}");
    }

    [Fact]
    public async Task What_several_threads_send_does_not_mix()
    {
        const int senders = 8, sendsEach = 20, blockBytes = 100_000;
        await using var fixture = new ListenerFixture((connection, _) =>
        {
            var threads = Enumerable.Range(0, senders).Select(sender => new Thread(() =>
            {
                var block = new byte[blockBytes];
                block.AsSpan().Fill((byte)sender);
                for (var i = 0; i < sendsEach; i++) connection.Send(block);
            })).ToArray();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) thread.Join();
        });
        using var client = fixture.Dial();
        var blocks = new int[senders];
        for (var i = 0; i < senders * sendsEach; i++)
        {
            var block = client.Receive(blockBytes);
            Assert.False(block.AsSpan().ContainsAnyExcept(block[0]));
            blocks[block[0]]++;
        }
        Assert.All(blocks, count => Assert.Equal(sendsEach, count));
        client.MustEnd();
    }

    // Several units on the way at a time, of sizes around those of the receive buffer.
    static void Exchange(ListenerFixture fixture, SeededRandom random)
    {
        using var client = fixture.Dial();
        for (var round = 0; round < 10; round++)
        {
            var stream = new List<byte>();
            for (var units = random.Next(1, 6); units > 0; units--)
            {
                var content = new byte[random.Next(3) switch { 0 => random.Next(64), 1 => random.Next(5_000), _ => random.Next(40_000) }];
                random.Fill(content);
                stream.AddRange(EchoProtocol.UnitOf(content));
            }
            byte[] sent = [.. stream];
            client.Send(sent);
            Assert.True(sent.AsSpan().SequenceEqual(client.Receive(sent.Length)));
        }
    }
}
