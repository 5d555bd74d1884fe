using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.S3.Tests.Authentication;

/// <summary>
/// Signatures that are right and not of this server, this time or this chunk are refused; a front that makes them good, as a careless
/// verifier would take them, is found.
/// </summary>
public sealed partial class CarelessVerifierTests : IAsyncLifetime
{
    const string Content = "the first chunk |the second chunk|the third chunk |";
    const int ChunkBytes = 17;

    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task A_signature_of_another_region_or_time_is_refused() =>
        Assert.Empty(await FindTakenAsync(Signed(), static call => call));

    [Fact]
    public async Task A_chunk_with_the_signature_of_the_one_before_is_refused() =>
        Assert.Empty(await FindTakenAsync(Chunked(), static call => call));

    [Theory]
    [InlineData("it takes any region", 1)]
    [InlineData("it takes any time", 2)]
    [InlineData("it takes the signature of the chunk before", 2)]
    public async Task A_planted_bug_is_found(string bug, int taken)
    {
        var isOfChunks = bug.EndsWith("before", StringComparison.Ordinal);
        var found = isOfChunks
            ? await FindTakenAsync(Chunked(), WithOwnSignatures)
            : await FindTakenAsync(Signed(), call => Resigned(call, bug));
        Assert.Equal(taken, found.Count);
    }

    /// <summary>Which of these the server takes.</summary>
    async Task<List<string>> FindTakenAsync(IEnumerable<(string What, S3Call Call)> wrong, Func<S3Call, S3Call> front)
    {
        var taken = new List<string>();
        foreach (var (what, call) in wrong)
        {
            var status = (await rig.SendAsync(front(call))).Status;
            Assert.True(status is 200 or (>= 400 and < 500), $"{what}: {status}");
            if (status == 200) taken.Add(what);
        }

        return taken;
    }

    IEnumerable<(string What, S3Call Call)> Signed()
    {
        var call = rig.Call("PUT", "/bucket/key").Send(Content);
        yield return ("another region", rig.Owner.But(region1: "eu-west-1").Sign(call));
        foreach (var hours in (int[])[-1, 1])
            yield return ($"{hours} h", rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddHours(hours)).Sign(call));
    }

    /// <summary>Each chunk but the first once with the signature of the one before it.</summary>
    IEnumerable<(string What, S3Call Call)> Chunked()
    {
        var call = rig.Owner.SignChunks(rig.Call("PUT", "/bucket/key").Send(Content), ChunkBytes);
        var body = Encoding.ASCII.GetString(call.Body);
        var signatures = SignaturesOf(call);
        Assert.Equal(4, signatures.Length); // The last one is of the empty chunk.
        for (var i = 1; i < 3; i++)
            yield return ($"chunk {i}", call.Send(body.Replace(signatures[i], signatures[i - 1], StringComparison.Ordinal)));
    }

    /// <summary>What is good under its own region or time becomes good here, as for a verifier that does not look at them.</summary>
    S3Call Resigned(S3Call call, string bug)
    {
        var region = call.Header("Authorization")!.Split('/')[2];
        var time = DateTimeOffset.ParseExact(
            call.Header("x-amz-date")!, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if (bug == "it takes any region" ? region == "us-east-1" : region != "us-east-1") return call;
        var plain = rig.Call(call.Method, call.Path).Send(call.Body);
        var own = rig.Owner.But(clock1: () => time, region1: region).Sign(plain);
        return own.Header("Authorization") == call.Header("Authorization") ? rig.Owner.Sign(plain) : call;
    }

    S3Call WithOwnSignatures(S3Call call)
    {
        var good = rig.Owner.SignChunks(rig.Call(call.Method, call.Path).Send(Content), ChunkBytes);
        var (sent, own) = (SignaturesOf(call), SignaturesOf(good));
        return sent.Where((value, i) => value != own[i] && (i == 0 || value != own[i - 1])).Any() ? call : good;
    }

    static string[] SignaturesOf(S3Call call) =>
        [.. SignaturePattern().Matches(Encoding.ASCII.GetString(call.Body)).Select(static one => one.Value)];

    [GeneratedRegex("(?<=chunk-signature=)[0-9a-f]{64}", RegexOptions.None, 1000)]
    private static partial Regex SignaturePattern();
}
