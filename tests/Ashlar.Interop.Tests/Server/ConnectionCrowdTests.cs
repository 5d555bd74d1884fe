using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// Many who connect and say nothing, or stop in the middle of a login: they take no more than the server has for them, keep nobody out, are
/// sent away when their time is over, and those who came to work go on meanwhile. Many who log in and do nothing.
/// </summary>
public sealed class ConnectionCrowdTests(ITestOutputHelper output)
{
    const long MostGrowthBytes = 200L << 20;

    // Of three protocols: threads of all their places, and what tens of thousands have left that the runtime has not collected yet.
    static readonly long MostCrowdGrowthBytes = TestTier.Choose(200L, 360L) << 20;

    const long SlackBytes = 64L << 20;
    const int SlackThreads = 32, SlackDescriptors = 64;

    // The shortest time after which a client of the three takes its server for gone: keep-alive of a kernel's host of NVMe.
    const double LongestAnswerMilliseconds = 5_000;

    const int Answers = 600;

    // Silent, and as many half open, of each protocol: together more than it has places.
    static readonly int CrowdOfEach = TestTier.Choose(600, 10_000);
    static readonly int Rounds = TestTier.Choose(1, 2);

    static readonly int Silent = 1_100; // More than the places of a protocol.
    static readonly int IdleSessions = TestTier.Choose(40, 1_000); // Of each of two protocols.

    [FactIfTool("python3", NbdClient.Library, IscsiClient.Library)]
    public void A_crowd_that_says_nothing_or_logs_in_half_is_bounded_sent_away_and_disturbs_nobody()
    {
        using var watched = new WatchedServer();
        var server = watched.Server;
        var (threads, descriptors) = (watched.ThreadCount, watched.DescriptorCount);
        using var nbd = new PacedSession(server.ConnectNbd("vm1"), 1 << 20);
        using var iscsi = new PacedSession(server.ConnectIscsi("vm1", session: 2), 2 << 20);
        (string Name, PacedSession Session)[] working = [("nbd", nbd), ("iscsi", iscsi)];
        WaitForAnswers(working); // Until all code has run that both sides have for it.
        Take(working);
        WaitForAnswers(working);
        var alone = Take(working);
        var left = new List<long>();
        for (var round = 0; round < Rounds; round++)
        {
            Crowd[] crowds =
            [
                new("nbd", server.NbdEndPoint, CrowdOfEach), new("iscsi", server.IscsiEndPoint, CrowdOfEach),
                new("nvme", server.NvmeEndPoint, CrowdOfEach),
            ];
            try
            {
                var arrivals = crowds.Select(static crowd => crowd.Arrive()).ToArray();
                var whileComing = Take(working);
                // The places are theirs, of those who say nothing and those who stop: whoever logs in gets one.
                var begun = Stopwatch.GetTimestamp();
                using (var late = server.ConnectNbd("vm1")) late.Flush();
                using (var late = server.ConnectIscsi("vm1", session: 3)) late.Flush();
                var lateMilliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
                WaitForAnswers(working);
                var whileThere = Take(working);
                var growth = watched.GrowthBytes;
                Assert.InRange(growth, long.MinValue, MostCrowdGrowthBytes);

                // Whoever has not logged in by then is sent away.
                var longest = crowds.Select(static crowd => crowd.LeaveAfterSeconds()).ToArray();
                WaitForAnswers(working);
                var afterwards = Take(working);
                foreach (var (crowd, arrival) in crowds.Zip(arrivals)) Judge(crowd.Protocol, arrival);
                foreach (var times in (AnswerTimes[])[.. whileComing, .. whileThere, .. afterwards])
                    Assert.InRange(times.Longest, 0, LongestAnswerMilliseconds);
                // Every thread and descriptor that they had comes back; memory, when the runtime likes.
                var settled = WatchedServer.WaitFor(() =>
                    watched.ThreadCount <= threads + SlackThreads && watched.DescriptorCount <= descriptors + SlackDescriptors);
                Assert.True(settled, $"{watched.ThreadCount} threads of {threads}, {watched.DescriptorCount} descriptors of {descriptors}");
                left.Add(watched.GrowthBytes);
                Assert.InRange(left[^1], long.MinValue, MostCrowdGrowthBytes);
                output.WriteLine(JsonSerializer.Serialize(new
                {
                    line = "connections",
                    round,
                    ofEachKind = CrowdOfEach,
                    crowds = crowds.Zip(arrivals, longest).ToDictionary(
                        static each => each.First.Protocol, static each => new { arrival = each.Second, longestSeconds = each.Third }),
                    growthBytes = growth,
                    leftBytes = left[^1],
                    lateMilliseconds = Math.Round(lateMilliseconds, 1),
                    sessions = working.Select((each, i) => new
                    {
                        each.Name,
                        alone = alone[i],
                        whileComing = whileComing[i],
                        whileThere = whileThere[i],
                        afterwards = afterwards[i],
                        p99Ratio = Math.Round(whileThere[i].P99 / alone[i].P99, 2),
                    }),
                    failures = 0,
                }));
            }
            finally
            {
                foreach (var crowd in crowds) crowd.Dispose();
            }
        }

        // What the first crowd left is what the runtime keeps; another leaves no more.
        if (left.Count > 1) Assert.InRange(left[^1], long.MinValue, left[0] + SlackBytes);
        watched.Work();
        server.Stop();
    }

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public void Sessions_that_do_nothing_cost_little_and_keep_their_places_among_silent_connections()
    {
        using var watched = new WatchedServer();
        var server = watched.Server;
        var idle = new List<IBlockClient>();
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < IdleSessions; i++)
            {
                idle.Add(server.ConnectNbd("vm1"));
                idle.Add(server.ConnectIscsi("vm1", session: 2 + i));
            }

            for (var i = 0; i < Silent; i++) silent.Add(Connect(server.NbdEndPoint));
            watched.Work();
            var growth = watched.GrowthBytes;
            Assert.InRange(growth, long.MinValue, MostGrowthBytes + (idle.Count * (256L << 10)));
            foreach (var each in idle) each.Flush();
            output.WriteLine(
                JsonSerializer.Serialize(new { line = "idle sessions", sessions = idle.Count, growthBytes = growth, failures = 0 }));
        }
        finally
        {
            foreach (var each in idle) each.Dispose();
            foreach (var socket in silent) socket.Dispose();
        }

        watched.Work();
        server.Stop();
    }

    static Socket Connect(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 120_000 };
        socket.Connect(endPoint);
        return socket;
    }

    static void WaitForAnswers((string Name, PacedSession Session)[] working)
    {
        foreach (var (_, session) in working) session.WaitForAnswers(Answers);
    }

    static AnswerTimes[] Take((string Name, PacedSession Session)[] working) => [.. working.Select(static each => each.Session.Take())];

    void Judge(string protocol, CrowdArrival arrival)
    {
        if (arrival.IsShort)
        {
            output.WriteLine(
                $"NOT ALL AT A TIME: only {arrival.Descriptors} descriptors may be open (ulimit -Hn), too few for 2 x {arrival.Count} of "
                + $"{protocol}: the last came when the server had ended the first");
        }

        Assert.Equal(arrival.Count, arrival.Silent + arrival.SilentRefused);
        Assert.Equal(arrival.Count, arrival.HalfOpen + arrival.HalfOpenRefused);
        // The others were cut for those behind them before they had come far enough.
        Assert.InRange(arrival.HalfOpen, arrival.Count / 2, arrival.Count);
        Assert.InRange(arrival.Silent, arrival.Count / 2, arrival.Count);
    }
}
