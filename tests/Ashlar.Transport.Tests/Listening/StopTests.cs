using System.Net.Sockets;
using Ashlar.TestKit;
using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Listening;

/// <summary>A stop lets finish what has begun, within its grace, and leaves nothing behind.</summary>
public sealed class StopTests
{
    static readonly TimeSpan Limit = ListenerFixture.Limit;

    [Fact]
    public async Task A_unit_that_has_begun_is_finished_and_then_the_connection_ends()
    {
        using var isDraining = new BlockingValue<bool>();
        using var begun = new BlockingValue<bool>();
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            using var told = draining.Register(() => isDraining.Set(true));
            Assert.True(connection.WaitForData());
            begun.Set(true);
            EchoProtocol.Serve(connection, draining);
        });
        using var client = fixture.Dial();
        var unit = EchoProtocol.UnitOf(new byte[1000]);
        client.Send(unit.AsSpan(0, 1));
        begun.Get();
        var stopped = fixture.Listener.StopAsync(Limit);
        isDraining.Get();
        client.Send(unit.AsSpan(1, 500));
        client.Send(unit.AsSpan(501));
        Assert.Equal(unit, client.Receive(unit.Length));
        client.MustEnd();
        client.Dispose();
        await stopped.WaitAsync(Limit);
        Assert.Null(fixture.NextEnd());
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task Idle_connections_end_in_good_order_and_new_ones_are_refused()
    {
        await using var fixture = new ListenerFixture();
        var clients = Enumerable.Range(0, 10).Select(_ => fixture.Dial()).ToArray();
        foreach (var client in clients) client.MustEcho([1]);
        var stopped = fixture.Listener.StopAsync(Limit);
        foreach (var client in clients)
        {
            client.MustEnd();
            client.Dispose();
        }
        await stopped.WaitAsync(Limit);
        Assert.Equal(0, fixture.Listener.ConnectionCount);
        Assert.Empty(fixture.Reports);
        Assert.Equal(SocketError.ConnectionRefused, Assert.ThrowsAny<SocketException>(fixture.Dial).SocketErrorCode);
    }

    [Fact]
    public async Task What_does_not_end_within_the_grace_is_cut()
    {
        await using var fixture = new ListenerFixture((connection, _) =>
        {
            using var unfinished = new ManualResetEventSlim();
            unfinished.Wait(Limit, connection.Closed);
        });
        using var client = fixture.Dial();
        using var idle = fixture.Dial();
        await Waiting.UntilAsync(() => fixture.Listener.ConnectionCount >= 2, "two are connected");
        await fixture.Listener.StopAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(Limit);
        Assert.Equal(0, client.MustBeCutOff());
        Assert.Equal(0, fixture.Listener.ConnectionCount);
        Assert.IsAssignableFrom<OperationCanceledException>(fixture.NextEnd());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(EchoProtocol.HeaderBytes + 10)]
    public async Task A_client_in_the_middle_of_a_unit_is_cut_after_the_grace(int sentBytes)
    {
        using var begun = new BlockingValue<bool>();
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            connection.WaitForData();
            begun.Set(true);
            EchoProtocol.Serve(connection, draining);
        });
        using var client = fixture.Dial();
        client.Send(EchoProtocol.UnitOf(new byte[100]).AsSpan(0, sentBytes));
        begun.Get();
        await fixture.Listener.StopAsync(TimeSpan.Zero).WaitAsync(Limit);
        client.MustBeCutOff();
    }

    public static TheoryData<TimeSpan> LongGraces => [TimeSpan.MaxValue, Timeout.InfiniteTimeSpan, TimeSpan.FromDays(30)];

    [Theory]
    [MemberData(nameof(LongGraces))]
    public async Task Any_length_of_grace_is_kept(TimeSpan grace)
    {
        using var isDraining = new BlockingValue<bool>();
        using var begun = new BlockingValue<bool>();
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            using var told = draining.Register(() => isDraining.Set(true));
            Assert.True(connection.WaitForData());
            begun.Set(true);
            EchoProtocol.Serve(connection, draining);
        });
        using var client = fixture.Dial();
        client.Send([1]);
        begun.Get();
        var stopped = fixture.Listener.StopAsync(grace);
        isDraining.Get();
        // Still served: it would be cut by now if the grace had come out as nothing.
        client.Socket.ReceiveTimeout = 100;
        Assert.Throws<SocketException>(() => client.Socket.Receive(new byte[1]));
        Assert.False(stopped.IsCompleted);
        client.Send([0, 0, 0, 9]);
        client.Socket.ReceiveTimeout = 20_000;
        Assert.Equal([1, 0, 0, 0, 9], client.Receive(5));
        client.Dispose();
        await stopped.WaitAsync(Limit);
    }

    [Fact]
    public async Task Stopping_and_disposing_again_changes_nothing()
    {
        var fixture = new ListenerFixture();
        using var client = fixture.Dial();
        client.MustEcho([1]);
        client.Dispose();
        await fixture.Listener.StopAsync(Limit);
        await fixture.Listener.StopAsync(Limit);
        await fixture.DisposeAsync();
        await fixture.DisposeAsync();
        await fixture.Listener.StopAsync(Limit);
    }

    [Fact]
    public async Task A_second_stop_ends_no_earlier_than_the_first()
    {
        using var isDraining = new BlockingValue<bool>();
        using var mayEnd = new ManualResetEventSlim();
        var fixture = new ListenerFixture((connection, draining) =>
        {
            using var told = draining.Register(() => isDraining.Set(true));
            connection.WaitForData();
            mayEnd.Wait(Limit, CancellationToken.None);
        });
        using var client = fixture.Dial();
        await Waiting.UntilAsync(() => fixture.Listener.ConnectionCount > 0, "somebody is connected");
        var first = fixture.Listener.StopAsync(Limit);
        isDraining.Get();
        var second = fixture.DisposeAsync().AsTask();
        Assert.False(second.IsCompleted);
        mayEnd.Set();
        client.MustEnd();
        client.Dispose();
        await Task.WhenAll(first, second).WaitAsync(Limit);
        Assert.Equal(0, fixture.Listener.ConnectionCount);
    }

    [Fact]
    public async Task A_handler_that_fails_when_told_to_drain_is_reported_and_cut_all_the_same()
    {
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            draining.Register(() => throw new InvalidTimeZoneException("a bug"));
            EchoProtocol.Serve(connection, draining);
        });
        using var client = fixture.Dial();
        client.MustEcho([1]);
        var stopped = fixture.Listener.StopAsync(Limit);
        client.MustEnd();
        client.Dispose();
        await stopped.WaitAsync(Limit);
        Assert.Contains("a bug", fixture.NextReport(), StringComparison.Ordinal);
    }

    // The first half of a unit races with the stop: either it was announced to the handler, and then the whole is served, or
    // it came too late and nothing of it was taken.
    [Fact]
    public async Task A_unit_that_races_with_the_stop_is_served_whole_or_not_at_all()
    {
        var unit = EchoProtocol.UnitOf([1, 2, 3, 4, 5, 6]);
        const int rounds = 120;
        for (var round = 0; round < rounds; round++)
        {
            await using var fixture = new ListenerFixture();
            using var client = fixture.Dial();
            client.MustEcho([1]);
            using var start = new Barrier(2);
            var stop = new Thread(() =>
            {
                start.SignalAndWait();
                fixture.Listener.StopAsync(Limit).Wait();
            });
            stop.Start();
            start.SignalAndWait();
            for (var spin = 0; spin < round * 20; spin++) Thread.SpinWait(1);
            var answer = new byte[unit.Length];
            client.Send(unit.AsSpan(0, 5));
            // The end of the connection, or the wait for the second half.
            client.Socket.ReceiveTimeout = 2;
            int got;
            try
            {
                got = client.Socket.Receive(answer);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                client.Send(unit.AsSpan(5));
                client.Socket.ReceiveTimeout = 20_000;
                got = client.Socket.Receive(answer);
            }
            Assert.Contains(got, new[] { 0, unit.Length });
            client.Dispose();
            stop.Join();
            Assert.True(fixture.NextEnd() is null, $"round {round}: a unit was taken and not finished");
        }
    }
}
