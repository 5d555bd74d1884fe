using System.Diagnostics;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Sending;

/// <summary>Only a connection's own threads wait for its client.</summary>
public sealed class OutgoingQueueTests
{
    static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    static readonly TimeSpan HangsAfter = TimeSpan.FromMinutes(2);
    readonly ScriptedWire wire = new();
    readonly ManualResetEventSlim cut = new();
    TimeSpan patience = Long;

    [Fact]
    public void What_the_client_takes_at_once_leaves_on_the_thread_that_hands_it_over()
    {
        var queue = Queue();
        wire.Take(100);
        queue.Post([1, 2]);
        Assert.True(queue.SendAsync(new byte[] { 3, 4 }).AsTask().IsCompletedSuccessfully);
        queue.Send([5]);
        Assert.Equal([1, 2, 3, 4, 5], wire.Taken);
    }

    [Fact]
    public async Task Nobody_who_hands_over_is_held_up_by_a_client_that_does_not_read()
    {
        var queue = Queue();
        // All on this thread: a call that waited would never return.
        queue.Post([1, 2]);
        var second = queue.SendAsync(new byte[] { 3, 4 }).AsTask();
        queue.EnqueueCopy([5]);
        var third = queue.EnqueueAsync(new byte[] { 6, 7 }).AsTask();
        queue.SendQueued();
        for (var i = 0; i < 1000; i++) queue.Post([8]);
        Assert.False(second.IsCompleted || third.IsCompleted);

        // What is left is sent by a thread of the connection, in order.
        wire.MustBeWaitedFor();
        wire.Take(3);
        wire.Take(100_000);
        await second.WaitAsync(ListenerFixture.Limit);
        await third.WaitAsync(ListenerFixture.Limit);
        wire.MustHaveTaken(1007);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], wire.Taken[..8]);
    }

    [Fact]
    public void The_connections_own_thread_waits_behind_what_others_have_handed_over()
    {
        var queue = Queue();
        queue.Post([1, 2, 3]);
        var own = new Thread(() => queue.Send([4, 5]));
        own.Start();
        queue.Post([6]); // Before or behind the two, whole.
        wire.MustBeWaitedFor();
        wire.Take(100);
        Assert.True(own.Join(ListenerFixture.Limit));
        wire.MustHaveTaken(6);
        Assert.Equal([1, 2, 3], wire.Taken[..3]);
        Assert.Contains(string.Concat(wire.Taken[3..]), new[] { "456", "645" });
    }

    [Fact]
    public void Gathered_bytes_are_in_use_until_the_flush()
    {
        var queue = Queue();
        queue.Enqueue(new byte[] { 1, 2 });
        Assert.Equal(2, queue.QueuedBytes);
        wire.Take(100);
        Assert.Empty(wire.Taken);
        queue.Flush();
        Assert.Equal([1, 2], wire.Taken);
        Assert.Equal(0, queue.QueuedBytes);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_for_too_long_is_cut_off_and_all_that_waits_for_it_is_let_go()
    {
        patience = TimeSpan.FromMilliseconds(50);
        var queue = Queue();
        var first = queue.SendAsync(new byte[1000]).AsTask();
        var second = queue.SendAsync(new byte[1000]).AsTask();
        Assert.True(cut.Wait(ListenerFixture.Limit));
        await Assert.ThrowsAsync<ConnectionException>(() => first.WaitAsync(ListenerFixture.Limit));
        await Assert.ThrowsAsync<ConnectionException>(() => second.WaitAsync(ListenerFixture.Limit));
        queue.Post([1]);
        Assert.Throws<ConnectionException>(queue.Flush);
        Assert.Throws<ConnectionException>(() => queue.Send([1]));
        Assert.Empty(wire.Taken);
    }

    [Fact]
    public async Task A_wire_that_breaks_in_the_middle_lets_nothing_follow()
    {
        var queue = Queue();
        wire.Take(2);
        var first = queue.SendAsync(new byte[] { 1, 2, 3 }).AsTask();
        wire.MustBeWaitedFor();
        wire.Break();
        await Assert.ThrowsAsync<ConnectionException>(() => first.WaitAsync(ListenerFixture.Limit));
        queue.Post([4]);
        Assert.Equal([1, 2], wire.Taken);
        Assert.True(cut.IsSet);
    }

    [Theory, Seeds(5)]
    public void Whoever_sends_whatever_in_whichever_way_each_message_leaves_once_and_whole(ulong seed)
    {
        const int Threads = 4, MessagesEach = 500;
        var queue = Queue();
        var threads = Enumerable.Range(0, Threads).Select(index => new Thread(
            () => SendMany(queue, (byte)index, seed, MessagesEach))
        { IsBackground = true }).ToList();
        var random = new SeededRandom(seed);
        foreach (var thread in threads) thread.Start();
        // A wire that takes little at a time, until all is handed over; in a queue that hangs somebody would wait for ever.
        var deadline = Stopwatch.StartNew();
        while (threads.Exists(thread => thread.IsAlive))
        {
            Assert.True(deadline.Elapsed < HangsAfter, $"seed {seed}: the senders do not end");
            wire.Take(random.Next(200));
        }
        wire.Take(1 << 30);
        queue.Flush();
        queue.Send([]);

        var taken = wire.Taken.AsSpan();
        var next = new int[Threads];
        while (!taken.IsEmpty)
        {
            var (sender, length, number) = (taken[0], taken[1], taken[2] | (taken[3] << 8));
            Assert.InRange(length, 4, 99);
            Assert.True(next[sender]++ == number, $"seed {seed}: message {number} of thread {sender} came out of order");
            Assert.False(taken[4..length].ContainsAnyExcept(sender), $"seed {seed}");
            taken = taken[length..];
        }
        Assert.All(next, count => Assert.Equal(MessagesEach, count));
    }

    // One of the threads is the connection's own, which alone waits.
    static void SendMany(OutgoingQueue queue, byte sender, ulong seed, int count)
    {
        var random = SeededRandom.For(seed, $"sender {sender}");
        for (var i = 0; i < count; i++)
        {
            var message = new byte[random.Next(4, 100)];
            message.AsSpan().Fill(sender);
            (message[1], message[2], message[3]) = ((byte)message.Length, (byte)i, (byte)(i >> 8));
            switch (random.Next(sender == 0 ? 5 : 3))
            {
                case 0:
                    queue.Post(message);
                    break;
                case 1:
                    _ = queue.SendAsync(message).AsTask();
                    break;
                case 2:
                    _ = queue.EnqueueAsync(message).AsTask();
                    queue.SendQueued();
                    break;
                case 3:
                    queue.Send(message);
                    break;
                default:
                    queue.Enqueue(message);
                    queue.Flush();
                    break;
            }
        }
    }

    OutgoingQueue Queue() =>
        new(wire, () => Deadline.In(patience, TimeProvider.System), "test-send", cause => new(cause.Message, cause), cut.Set);
}
