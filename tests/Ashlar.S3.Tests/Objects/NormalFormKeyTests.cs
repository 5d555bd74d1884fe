namespace Ashlar.S3.Tests.Objects;

/// <summary>Keys that look like others: nothing is made under one, and nothing of it is left.</summary>
public sealed class NormalFormKeyTests : IAsyncLifetime
{
    // An e and an acute behind it; the bytes of the letter that is both.
    const string Key = "e\u0301", Meant = "c3a9";

    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/\u00e9", "x")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task They_are_refused_wherever_a_key_stands()
    {
        foreach (var key in (string[])[Key, $"a/{Key}", $"{Key}/a", $"{Key}/"])
        {
            foreach (var method in (string[])["GET", "HEAD", "PUT", "DELETE"]) (await rig.RunAsync(method, $"/bucket/{key}")).Must(400);
            MustSay(await rig.RunAsync("PUT", $"/bucket/{key}"));
            if (key.EndsWith('/')) continue; // A directory comes neither in parts nor by a copy.
            MustSay(await rig.RunAsync(rig.Call("POST", $"/bucket/{key}").Ask("uploads")));
            MustSay(await rig.RunAsync(rig.Call("PUT", $"/bucket/{key}").With("x-amz-copy-source", "/bucket/%C3%A9")));
        }

        MustSay(await rig.RunAsync(rig.Call("PUT", "/bucket/copy").With("x-amz-copy-source", "/bucket/e%CC%81")));
        MustSay(await rig.SendAsync(TestForm.Of(rig, rig.Owner, Key, [1])));
        var begun = (await rig.RunAsync(rig.Call("POST", "/bucket/big").Ask("uploads"))).Must(200).One("UploadId");
        var part = rig.Call("PUT", "/bucket/big").Ask("partNumber", "1").Ask("uploadId", begun);
        MustSay(await rig.RunAsync(part.With("x-amz-copy-source", "/bucket/e%CC%81")));
        (await rig.RunAsync(rig.Call("DELETE", "/bucket/big").Ask("uploadId", begun))).Must(204);
        var several = $"<Delete><Object><Key>{Key}</Key></Object><Object><Key>absent</Key></Object></Delete>";
        var deleted = (await rig.RunAsync(
            rig.Call("POST", "/bucket").Ask("delete").Send(several).With("Content-MD5", Md5(several)))).Must(200);
        Assert.Equal(("InvalidArgument", Key), (deleted.One("Code"), deleted.All("Key").Single(key => key != "absent")));

        Assert.Equal(["\u00e9"], (await rig.RunAsync("GET", "/bucket")).All("Key"));
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads"))).All("UploadId"));
    }

    [Fact]
    public async Task A_prefix_or_a_marker_names_nothing_and_may_be_any_text()
    {
        // The letter begins what has marks behind it, and sorts in front of what is written in one.
        (await rig.RunAsync("PUT", "/bucket/e", "x")).Must(200);
        Assert.Equal(["e", "\u00e9"], (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("prefix", ""))).All("Key"));
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("prefix", Key))).Must(200).All("Key"));
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("prefix", Key + "/"))).Must(200).All("Key"));
        Assert.Equal(["\u00e9"], (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("marker", Key))).Must(200).All("Key"));
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads").Ask("key-marker", Key))).Must(200).All("UploadId"));
    }

    static void MustSay(RawResponse answer)
    {
        answer.MustFail(400, "InvalidArgument");
        Assert.Contains(Meant, answer.Text, StringComparison.Ordinal);
    }

    static string Md5(string text) => Convert.ToBase64String(TestSigner.Md5(System.Text.Encoding.UTF8.GetBytes(text)));
}
