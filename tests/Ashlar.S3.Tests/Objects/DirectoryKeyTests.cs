namespace Ashlar.S3.Tests.Objects;

/// <summary>Keys that end in a slash: copies of them, and conditions on them.</summary>
public sealed class DirectoryKeyTests : IAsyncLifetime
{
    const string EmptyTag = "\"d41d8cd98f00b204e9800998ecf8427e\"";

    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync(rig.Call("PUT", "/bucket/x/").With("x-amz-meta-m", "of x"))).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task A_directory_that_is_copied_onto_an_object_leaves_the_object_as_it_is()
    {
        (await rig.RunAsync(
            rig.Call("PUT", "/bucket/a").With("x-amz-meta-m", "of a").With("content-type", "text/a").Send("content"))).Must(200);
        var before = await rig.DescribeAsync();
        (await rig.RunAsync(rig.Call("PUT", "/bucket/a/").With("x-amz-copy-source", "bucket/x/"))).MustFail(400, "InvalidRequest");
        Assert.Equal(before, await rig.DescribeAsync());
    }

    [Fact]
    public async Task Conditions_of_copies_of_directories_hold_or_are_refused()
    {
        var copy = rig.Call("PUT", "/bucket/y/").With("x-amz-copy-source", "bucket/x/");
        (await rig.RunAsync(copy.With("If-Match", "*"))).MustFail(501, "NotImplemented");
        (await rig.RunAsync(copy.With("If-None-Match", "*"))).Must(200);
        (await rig.RunAsync(copy.With("If-None-Match", "*"))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(copy)).Must(200);
        Assert.Equal("of x", (await rig.RunAsync("HEAD", "/bucket/y/")).Must(200).Header("x-amz-meta-m"));
        var self = rig.Call("PUT", "/bucket/x/").With("x-amz-copy-source", "bucket/x/").With("x-amz-metadata-directive", "REPLACE");
        (await rig.RunAsync(self.With("If-None-Match", "*"))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(self.With("x-amz-meta-m", "new"))).Must(200);
        Assert.Equal("new", (await rig.RunAsync("HEAD", "/bucket/x/")).Must(200).Header("x-amz-meta-m"));
    }

    [Fact]
    public async Task The_tag_that_is_shown_is_the_one_that_conditions_mean()
    {
        var get = rig.Call("GET", "/bucket/x/");
        Assert.Equal(EmptyTag, (await rig.RunAsync(get)).Must(200).Header("ETag"));
        (await rig.RunAsync(get.With("If-Match", EmptyTag))).Must(200);
        (await rig.RunAsync(get.With("If-None-Match", EmptyTag))).Must(304);
        (await rig.RunAsync(get.With("If-Match", "\"x\""))).MustFail(412, "PreconditionFailed");
        var copy = rig.Call("PUT", "/bucket/y/").With("x-amz-copy-source", "bucket/x/");
        (await rig.RunAsync(copy.With("x-amz-copy-source-if-match", EmptyTag))).Must(200);
        (await rig.RunAsync(copy.With("x-amz-copy-source-if-none-match", EmptyTag))).MustFail(412, "PreconditionFailed");
    }
}
