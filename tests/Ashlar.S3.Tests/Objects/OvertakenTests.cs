using Ashlar.Files;

namespace Ashlar.S3.Tests.Objects;

/// <summary>Requests during which somebody else changes what they are about, and such as many small ones are made of.</summary>
public sealed class OvertakenTests
{
    static async Task<(S3Rig Rig, WatchedMetadata Watched)> CreateAsync()
    {
        WatchedMetadata watched = null!;
        var rig = await S3Rig.CreateAsync(options => options with { Metadata = WatchedMetadata.Of(options.Metadata, out watched) });
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        return (rig, watched);
    }

    [Fact]
    public async Task A_read_that_is_overtaken_has_headers_of_the_version_that_it_sends_alone()
    {
        var (rig, watched) = await CreateAsync();
        await using var held = rig;
        var put = rig.Call("PUT", "/bucket/key").With("x-amz-meta-old", "1").With("content-encoding", "x").With("x-amz-tagging", "a=b");
        var tag = (
            await rig.RunAsync(put.Send("old content").With("x-amz-checksum-sha256", Sum("old content"u8)))).Must(200).Header("ETag")!;
        watched.After = method => Overtake(rig, watched, method);
        // The new version is sent whole: the range is asked for of the old one.
        var get = rig.Call("GET", "/bucket/key").With("x-amz-checksum-mode", "ENABLED").With("Range", "bytes=0-2").With("If-Range", tag);
        var got = (await rig.RunAsync(get)).Must(200);
        Assert.Null(watched.After);
        Assert.Equal("new", got.Text);
        foreach (var header in (string[])["x-amz-meta-old", "Content-Encoding", "x-amz-tagging-count", "x-amz-checksum-sha256",
            "Content-Range"])
            Assert.Null(got.Header(header));
        Assert.Equal("3", got.Header("Content-Length"));
    }

    static string Sum(ReadOnlySpan<byte> content) => Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Sha256, content));

    // A bucket is described first, and then the object.
    static void Overtake(S3Rig rig, WatchedMetadata watched, string method)
    {
        if (method != nameof(IMetadataStore.DescribeAsync) || watched.Described++ == 0) return;
        watched.After = null;
        rig.Files.CreateFileAsync(
            rig.Customer, FilePath.Parse("/bucket/key"), new MemoryStream("new"u8.ToArray()), new() { Condition = CommitCondition.Replace })
            .GetAwaiter().GetResult();
    }

    [Fact]
    public async Task Many_that_are_deleted_at_once_do_not_wait_for_each_other()
    {
        var (rig, watched) = await CreateAsync();
        await using var held = rig;
        for (var i = 0; i < 20; i++) (await rig.RunAsync("PUT", $"/bucket/{i}", "x")).Must(200);
        using var second = new ManualResetEventSlim();
        var (entered, wasAlone) = (0, false);
        watched.Before = method =>
        {
            if (method != nameof(IMetadataStore.DeleteFileAsync)) return;
            if (Interlocked.Increment(ref entered) > 1) second.Set();
            if (!second.Wait(TimeSpan.FromSeconds(2))) wasAlone = true;
        };
        var body = string.Concat(Enumerable.Range(0, 20).Select(i => $"<Object><Key>{i}</Key></Object>"));
        var answer = (await rig.RunAsync(rig.Call("POST", "/bucket").Ask("delete").Send($"<Delete>{body}</Delete>"))).Must(200);
        Assert.False(wasAlone);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), answer.All("Key"));
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    /// <summary>An upload that cannot be renewed is asked for again; one in parts that has been aborted is not there.</summary>
    [Theory]
    [InlineData(false, 503, "ServiceUnavailable")]
    [InlineData(true, 404, "NoSuchUpload")]
    public async Task An_upload_that_is_taken_away_in_the_middle_says_whether_to_repeat_it(bool isInParts, int status, string code)
    {
        var (rig, _) = await CreateAsync();
        await using var held = rig;
        var call = rig.Call("PUT", "/bucket/key").Send(new byte[1_500_000]);
        if (isInParts)
        {
            var id = (await rig.RunAsync(rig.Call("POST", "/bucket/key").Ask("uploads"))).Must(200).One("UploadId");
            call = call.Ask("uploadId", id).Ask("partNumber", "1");
        }

        var bytes = rig.Owner.Sign(call).ToBytes();
        using var connection = new RawConnection(rig.EndPoint);
        await connection.SendAsync(bytes.AsMemory(0, bytes.Length - 100));
        UploadIntent? intent = null;
        for (var attempt = 0; intent is null && attempt < 500; attempt++)
        {
            await Task.Delay(10);
            intent = (await rig.Metadata.ListIntentsAsync(rig.Customer, null, false, 10)).SingleOrDefault();
        }

        // A part is begun by then, or fails at once: the answer is the same.
        await rig.Files.AbortPartsAsync(intent!.Token);
        await connection.SendAsync(bytes.AsMemory(bytes.Length - 100));
        (await connection.ReceiveAsync())!.MustFail(status, code);
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }
}
