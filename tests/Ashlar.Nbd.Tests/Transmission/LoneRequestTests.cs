using System.Collections.Concurrent;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.Storage;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>
/// The thread of a connection may wait for the disk as long as its client waits for each reply before it sends the next request.
/// </summary>
public sealed class LoneRequestTests
{
    const int Enough = 40;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    readonly ConcurrentQueue<bool> mayWait = new();

    [Fact]
    public async Task A_client_of_depth_1_is_found_out_and_its_requests_may_wait()
    {
        await using var fixture = new NbdFixture(Watched(() => Task.CompletedTask));
        using var client = fixture.Open();
        Flush(client, Enough);
        Assert.False(mayWait.First());
        Assert.True(mayWait.Last());
    }

    [Fact]
    public async Task One_whose_requests_go_on_elsewhere_is_found_out_too()
    {
        await using var fixture = new NbdFixture(Watched(() => Task.Delay(1)));
        using var client = fixture.Open();

        // A reply leaves just before its request counts as ended, so one or the other of them may seem to overlap.
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Flush(client, Enough);
                return mayWait.Last();
            },
            Limit));
    }

    [Fact]
    public async Task One_that_sends_more_before_it_has_the_reply_is_not_waited_for()
    {
        var gate = new TaskCompletionSource();
        await using var fixture = new NbdFixture(Watched(() => gate.Task));
        using var client = fixture.Open();
        for (var i = 0; i < Enough; i++) client.Request(CommandCode.Flush, 0, 0);
        Assert.True(SpinWait.SpinUntil(() => mayWait.Count == Enough, Limit));
        gate.SetResult();
        for (var i = 0; i < Enough; i++) client.ReceiveChunk();
        Assert.DoesNotContain(true, mayWait);
    }

    [Fact]
    public async Task A_mistake_costs_one_wait_and_makes_the_next_ones_rarer()
    {
        using var waiting = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var isToWait = false;
        await using var fixture = new NbdFixture(Watched(() =>
        {
            if (!Volatile.Read(ref isToWait) || !InlineWaits.AreAllowed) return Task.CompletedTask;
            Volatile.Write(ref isToWait, false);
            InlineWaits.Waiting();
            waiting.Release();
            Assert.True(goOn.Wait(Limit));
            return Task.CompletedTask;
        }));
        using var client = fixture.Open();
        Flush(client, Enough);
        Volatile.Write(ref isToWait, true);
        client.Request(CommandCode.Flush, 0, 0);
        Assert.True(waiting.Wait(Limit));
        client.Request(CommandCode.Flush, 0, 0); // While the one before it is waited for.
        goOn.Release();
        client.ReceiveChunk();
        client.ReceiveChunk();
        mayWait.Clear();
        Flush(client, 3 * Enough); // It takes four times as many now.
        Assert.DoesNotContain(true, mayWait);
        Flush(client, 3 * Enough);
        Assert.True(mayWait.Last());
    }

    static void Flush(NbdClient client, int count)
    {
        for (var i = 0; i < count; i++) Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Flush, 0, 0));
    }

    TestDevice Watched(Func<Task> before) => new()
    {
        Before = _ =>
        {
            mayWait.Enqueue(InlineWaits.AreAllowed);
            return before();
        },
    };
}
