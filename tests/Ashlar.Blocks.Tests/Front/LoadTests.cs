using System.Buffers.Binary;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Front;

/// <summary>Many clients at once, while the volume is changed beneath or beside them.</summary>
public sealed class LoadTests
{
    const int BlockSize = 4096, Blocks = 600, Clients = 6;

    [Theory, Seeds(count: 3)]
    public async Task No_two_changes_of_a_block_are_ever_under_way_at_once(ulong seed)
    {
        var device = new WatchingDevice(new MemoryDevice(Blocks));
        var front = new VolumeFront(device);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"client {client}");
            using var session = Attach(front, client);
            for (var round = 0; round < 300; round++)
            {
                var offset = random.Next(Blocks / 4 * BlockSize);
                var length = 1 + random.Next(4 * BlockSize);
                await (random.Next(4) switch
                {
                    0 => session.TrimAsync(offset, Blocks * BlockSize - offset),
                    1 => session.WriteZeroesAsync(offset, length),
                    2 => session.WriteAsync(offset, random.Bytes(length)),
                    _ => UpdateAsync(session, offset / BlockSize * BlockSize, random.Bytes(BlockSize)),
                });
            }
        })));
        Assert.Equal((0, 0), (device.Collisions, device.UnderWay));
    }

    [Fact]
    public async Task Of_all_who_compare_and_write_the_same_value_one_wins_each_time()
    {
        const int rounds = 100;
        var front = new VolumeFront(new WatchingDevice(new MemoryDevice(Blocks)));
        var wins = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            using var session = Attach(front, client);
            var won = 0;
            for (var next = 1; next <= rounds;)
            {
                using var held = await session.HoldAsync(0, BlockSize);
                if (await held.FindDifferenceAsync(0, Stamp(next - 1)) is null)
                {
                    await held.WriteAsync(0, Stamp(next));
                    won++;
                }
                else
                {
                    next++; // Another was quicker, or this one has won before.
                }
            }
            return won;
        })));
        Assert.Equal(rounds, wins.Sum());
    }

    [Fact]
    public async Task A_fenced_client_changes_nothing_more_and_the_others_go_on()
    {
        var device = new WatchingDevice(new MemoryDevice(Blocks));
        var front = new VolumeFront(device);
        var sessions = Enumerable.Range(0, Clients).Select(client => Attach(front, client)).ToArray();
        using var enough = new CancellationTokenSource();
        var writers = sessions.Select((session, client) => Task.Run(async () =>
        {
            for (var round = 0; !enough.IsCancellationRequested; round++)
                await Task.WhenAll(session.WriteAsync(client * BlockSize, Stamp(round)).AsTask(), session.FlushAsync().AsTask());
        })).ToArray();
        await Until(() => device.Begun.Count > 200);
        await sessions[0].FenceAsync(FenceReason.ClientDetached);
        var begun = device.Begun.Count(block => block == 0);
        await Assert.ThrowsAsync<SessionFencedException>(() => writers[0]);
        var seen = device.Begun.Count;
        await Until(() => device.Begun.Count > seen + 200);
        Assert.Equal(begun, device.Begun.Count(block => block == 0));
        await enough.CancelAsync();
        await Task.WhenAll(writers[1..]);
        Assert.Equal(0, sessions[0].InFlight);
    }

    [Fact]
    public async Task No_write_is_lost_or_overtaken_when_the_device_is_exchanged_under_load()
    {
        var devices = new[] { new WatchingDevice(new MemoryDevice(Blocks)), new WatchingDevice(new MemoryDevice(Blocks)) };
        var front = new VolumeFront(devices[0]);
        using var enough = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            using var session = Attach(front, client);
            var read = new byte[BlockSize];
            for (var round = 1; !enough.IsCancellationRequested; round++)
            {
                await session.WriteAsync(client * BlockSize, Stamp(round));
                await session.ReadAsync(client * BlockSize, read);
                Assert.Equal(round, BinaryPrimitives.ReadInt32LittleEndian(read));
            }
        })).ToArray();
        for (var i = 1; i <= 20; i++)
        {
            var (before, after) = (devices[(i - 1) % 2], devices[i % 2]);
            var seen = before.Begun.Count;
            await Until(() => before.Begun.Count > seen + 20);
            await front.SwapAsync(async old =>
            {
                Assert.Same(before, old);
                Assert.Equal((0, 0), (before.UnderWay, after.UnderWay));
                var content = new byte[Blocks * BlockSize];
                await old.ReadAsync(Lba.Zero, content);
                await after.WriteAsync(Lba.Zero, content);
                return after;
            });
        }
        await enough.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(0, devices.Sum(device => device.Collisions));
    }

    static async ValueTask UpdateAsync(ClientSession session, long offset, byte[] data)
    {
        using var held = await session.HoldAsync(offset, data.Length);
        var current = new byte[data.Length];
        await held.ReadAsync(offset, current);
        await held.WriteAsync(offset, data);
    }

    static ClientSession Attach(VolumeFront front, int client) =>
        front.Attach(new(client % 2 == 0 ? ClientProtocol.Nbd : ClientProtocol.Iscsi, $"client {client}", "192.0.2.1:4711"));

    static byte[] Stamp(int number)
    {
        var block = new byte[BlockSize];
        BinaryPrimitives.WriteInt32LittleEndian(block, number);
        return block;
    }

    static async Task Until(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(1);
    }
}
