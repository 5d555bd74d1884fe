using Ashlar.Transport.Tests.Echo;

namespace Ashlar.Transport.Tests.Connections;

/// <summary>Whatever goes wrong with one connection stays with it.</summary>
public sealed class FailureTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_vanishes_anywhere_in_a_unit_affects_nobody(bool byReset)
    {
        await using var fixture = new ListenerFixture();
        using var other = fixture.Dial();
        var unit = EchoProtocol.UnitOf([1, 2, 3, 4, 5, 6, 7, 8]);
        for (var sentBytes = 1; sentBytes < unit.Length; sentBytes++)
        {
            using var client = fixture.Dial();
            client.Send(unit.AsSpan(0, sentBytes));
            if (byReset) client.Vanish();
            else client.Dispose();
            // After a reset the first bytes may be lost with it, or even the connection before it was accepted.
            if (!byReset) Assert.EndsWith("ended in the middle of a unit of data", fixture.NextReport(), StringComparison.Ordinal);
            other.MustEcho(unit);
        }
        fixture.OthersAreWell();
    }

    [Fact]
    public async Task A_client_that_leaves_between_units_is_no_error()
    {
        await using var fixture = new ListenerFixture();
        using var client = fixture.Dial();
        client.MustEcho([1]);
        client.Dispose();
        Assert.Null(fixture.NextEnd());
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task A_handler_that_throws_is_reported_and_closes_only_its_connection()
    {
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            if (connection.Id == 2) throw new InvalidTimeZoneException("a bug");
            EchoProtocol.Serve(connection, draining);
        });
        using var first = fixture.Dial();
        first.MustEcho([1]);
        using var second = fixture.Dial();
        Assert.Equal(0, second.MustBeCutOff());
        var report = fixture.NextReport();
        Assert.StartsWith($"echo: connection 2 from {second.Socket.LocalEndPoint} failed: ", report, StringComparison.Ordinal);
        Assert.Contains("InvalidTimeZoneException: a bug < ", report, StringComparison.Ordinal);
        Assert.DoesNotContain(report, char.IsControl);
        first.MustEcho([2]);
        fixture.OthersAreWell();
    }

    [Fact]
    public async Task Replies_sent_before_a_handler_returns_arrive_though_the_client_still_sends()
    {
        var reply = new byte[200_000];
        await using var fixture = new ListenerFixture((connection, _) =>
        {
            connection.WaitForData();
            connection.Send(reply);
        });
        using var client = fixture.Dial();
        client.Send(new byte[100_000]);
        Assert.Equal(reply, client.Receive(reply.Length));
        client.MustEnd();
    }

    [Fact]
    public async Task A_connection_cut_from_another_thread_ends_the_wait_for_data()
    {
        using var serving = new BlockingValue<Connection>();
        await using var fixture = new ListenerFixture((connection, draining) =>
        {
            serving.Set(connection);
            EchoProtocol.Serve(connection, draining);
        });
        using var client = fixture.Dial();
        client.MustEcho([1]);
        var connection = serving.Get();
        connection.Dispose();
        connection.Dispose();
        client.MustBeCutOff();
        Assert.True(connection.Closed.IsCancellationRequested);
        Assert.True(fixture.NextEnd() is null or ConnectionException);
        Assert.Throws<ConnectionException>(() => connection.Send([1]));
    }

    [Fact]
    public async Task Work_that_fails_to_be_given_up_is_reported_and_holds_no_place()
    {
        await using var fixture = new ListenerFixture(
            (connection, draining) =>
            {
                if (connection.Id == 1) connection.Closed.Register(() => throw new InvalidTimeZoneException("a bug"));
                EchoProtocol.Serve(connection, draining);
            },
            maxConnections: 1);
        using (var client = fixture.Dial()) client.MustEcho([1]);
        Assert.Contains("a bug", fixture.NextReport(), StringComparison.Ordinal);
        await fixture.Listener.StopAsync(ListenerFixture.Limit);
        Assert.Equal(0, fixture.Listener.ConnectionCount);
    }

    [Fact]
    public async Task A_failing_send_wakes_others_only_after_it_has_let_go_of_the_connection()
    {
        await using var fixture = new ListenerFixture(
            (connection, _) =>
            {
                connection.HandshakeCompleted();
                using var woken = connection.Closed.Register(() =>
                {
                    var other = new Thread(() => Assert.Throws<ConnectionException>(() => connection.Send([1])));
                    other.Start();
                    Assert.True(other.Join(ListenerFixture.Limit), "another sender is still held up");
                });
                while (true) connection.Send(new byte[64 << 10]);
            },
            transfer: TimeSpan.FromMilliseconds(100));
        using var client = fixture.Dial();
        Assert.EndsWith("does not read its replies", fixture.NextReport(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_ends_nothing()
    {
        await using var fixture = new ListenerFixture(report: line => throw new IOException("the log is full"));
        using (var client = fixture.Dial()) client.Send([1]);
        Assert.IsType<ConnectionException>(fixture.NextEnd());
        fixture.OthersAreWell();
    }
}
