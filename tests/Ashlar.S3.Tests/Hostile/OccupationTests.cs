using System.Text;
using Ashlar.Files;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.S3.Tests.Hostile;

/// <summary>Nobody keeps connections, memory or rights longer than others can spare them.</summary>
public sealed class OccupationTests : IAsyncLifetime
{
    // Of the server alone: nodes and leases have time.
    readonly SimulatedClock clock = new();
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync(options => options with
        {
            TimeProvider = clock,
            MaxConnectionsPerAddress = 4,
            BodyLimit = TimeSpan.FromMinutes(1),
            RateGrace = TimeSpan.FromMinutes(5),
        });
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task The_fields_of_a_form_are_short_all_together()
    {
        var fields = Enumerable.Range(0, 90).Select(i => ($"x-ignore-{i}", new string('x', 200))).ToArray();
        (await rig.SendAsync(TestForm.Of(rig, rig.Owner, TestForm.Policy(rig, """{"bucket":"bucket"},["starts-with","$key",""]"""),
            "x"u8.ToArray(), [("key", "a"), .. fields])))
            .Must(204);
        fields = [.. fields.Select(field => (field.Item1, new string('x', 300)))];
        (await rig.SendAsync(TestForm.Of(rig, rig.Owner, null, [], [("key", "a"), .. fields]))).MustFail(
            400, "MaxPostPreDataLengthExceededError");
    }

    [Fact]
    public async Task A_form_that_proves_nothing_in_seconds_is_refused()
    {
        using var connection = new RawConnection(rig.EndPoint);
        var bytes = TestForm.Of(rig, rig.Owner, "a", new byte[100]).ToBytes();
        await connection.SendAsync(bytes.AsMemory(0, bytes.Length - 400));
        var answer = connection.ReceiveAsync();
        await Waiting.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return answer.IsCompleted;
            },
            "the form is refused");
        (await answer)!.MustFail(400, "RequestTimeout");
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task One_address_has_so_many_connections_and_no_more()
    {
        var open = new List<RawConnection>();
        // The rig has one.
        for (var i = 0; i < 3; i++)
        {
            open.Add(new(rig.EndPoint));
            Assert.Equal(403, (await AskAsync(open[^1]))?.Status);
        }

        using (var refused = new RawConnection(rig.EndPoint)) Assert.Null(await AskAsync(refused));
        open[0].Dispose();
        await Waiting.UntilAsync(
            () =>
            {
                using var again = new RawConnection(rig.EndPoint);
                return AskAsync(again).Result?.Status == 403;
            },
            "a connection that was closed makes room");
        foreach (var connection in open) connection.Dispose();

        static async Task<RawResponse?> AskAsync(RawConnection connection)
        {
            try
            {
                await connection.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            catch (System.Net.Sockets.SocketException)
            {
                return null;
            }

            return await connection.ReceiveAsync();
        }
    }

    [Fact]
    public async Task A_body_that_takes_too_long_is_refused_however_steadily_it_comes()
    {
        (await InTwoHalvesAsync(() => clock.Advance(TimeSpan.FromMinutes(2))))!.MustFail(400, "RequestTimeout");
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_was_taken_away_meanwhile_ends_nothing(bool isTaken)
    {
        var answer = (await InTwoHalvesAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(11));
            if (isTaken) Assert.True(rig.Metadata.DeleteKeyAsync(rig.Writer.KeyId).Result);
        }))!;
        if (isTaken) answer.MustFail(403, "AccessDenied");
        else answer.Must(200);
        Assert.Equal(isTaken ? 0 : 1, (await rig.RunAsync("GET", "/bucket")).All("Key").Length);
    }

    [Fact]
    public void A_document_of_many_elements_takes_no_memory_by_them()
    {
        var body = Encoding.ASCII.GetBytes("<Delete>" + string.Concat(Enumerable.Repeat("<a/>", 500_000)) + "</Delete>");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("MalformedXML", Assert.Throws<S3Exception>(() => XmlBody.Parse(body, "Delete")).Error.Code);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        var parts = "<Delete>" + string.Concat(Enumerable.Repeat("<Object><Key>k</Key><ETag>t</ETag></Object>", 1000)) + "</Delete>";
        Assert.Equal(1000, XmlBody.Parse(Encoding.ASCII.GetBytes(parts), "Delete").All("Object").Count());
    }

    // Sends half of a body, waits until it has been taken, and sends the rest.
    async Task<RawResponse?> InTwoHalvesAsync(Action between)
    {
        using var connection = new RawConnection(rig.EndPoint);
        var bytes = rig.Writer.Sign(rig.Call("PUT", "/bucket/key").Send(new SeededRandom(1).Bytes(300_000)), TestSigner.Unsigned).ToBytes();
        await connection.SendAsync(bytes.AsMemory(0, 200_000));
        await Waiting.UntilAsync(() => rig.Metadata.ListIntentsAsync(null, null, false, 10).Result.Count == 1, "the upload has begun");
        between();
        await connection.SendAsync(bytes.AsMemory(200_000));
        return await connection.ReceiveAsync();
    }
}
