namespace Ashlar.S3.Tests.Authentication;

/// <summary>A client that asks before it sends is told to go on when it is known, and else why not.</summary>
public sealed class ContinueTests
{
    [Fact]
    public async Task Only_who_may_send_is_told_to_go_on()
    {
        await using var rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        var call = rig.Call("PUT", "/bucket/key").With("Expect", "100-continue").Send(new byte[100]);
        Assert.Equal(403, (await AskAsync(rig.Reader.Sign(call)))[0].Status);
        Assert.Equal(403, (await AskAsync(rig.Owner.But(secret: "x").Sign(call)))[0].Status);
        Assert.Equal(403, (await AskAsync(call))[0].Status);
        Assert.Equal([100, 200], (await AskAsync(rig.Owner.Sign(call))).Select(answer => answer.Status));

        // Botocore takes the next answer on the connection for the one that came instead of "go on".
        Assert.Equal("close", (await AskAsync(call))[0].Header("Connection"));
        Assert.Null((await AskAsync(rig.Owner.Sign(call)))[1].Header("Connection"));
        var empty = (await AskAsync(rig.Owner.Sign(rig.Call("PUT", "/bucket/empty").With("Expect", "100-continue").Send([]))))[0];
        Assert.Equal((200, "close"), (empty.Status, empty.Header("Connection")));

        async Task<List<RawResponse>> AskAsync(S3Call asked)
        {
            using var connection = new RawConnection(rig.EndPoint);
            var bytes = asked.ToBytes();
            await connection.SendAsync(bytes.AsMemory(0, bytes.Length - asked.Body.Length));
            List<RawResponse> answers = [(await connection.ReceiveAsync())!];
            if (answers[0].Status != 100) return answers;
            await connection.SendAsync(asked.Body);
            return [.. answers, (await connection.ReceiveAsync())!];
        }
    }
}
