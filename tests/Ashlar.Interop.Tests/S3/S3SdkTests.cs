using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;

namespace Ashlar.Interop.Tests.S3;

/// <summary>The AWS SDK for .NET, which signs bodies in chunks with a trailer.</summary>
public sealed class S3SdkTests : IAsyncLifetime
{
    S3Store store = null!;
    AmazonS3Client client = null!;

    public async Task InitializeAsync()
    {
        store = await S3Store.StartAsync();
        client = new(
            new BasicAWSCredentials(S3Store.KeyId, S3Store.Secret),
            new AmazonS3Config { ServiceURL = store.Url, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await client.PutBucketAsync("bucket");
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        var failures = store.Failures.ToArray();
        await store.DisposeAsync();
        Assert.Empty(failures);
    }

    [Fact]
    public async Task Objects_go_up_and_come_back_in_one_piece_and_in_parts()
    {
        foreach (var length in (int[])[0, 10, 300_000, 20 << 20])
        {
            var content = S3Client.Content(length);
            using var transfer = new TransferUtility(client);
            await transfer.UploadAsync(new MemoryStream(content), "bucket", "dir/key");
            using var response = await client.GetObjectAsync("bucket", "dir/key");
            var got = new MemoryStream();
            await response.ResponseStream.CopyToAsync(got);
            Assert.Equal(content, got.ToArray());
        }
    }

    [Fact]
    public async Task Conditions_tags_listings_and_deletions_are_as_the_SDK_knows_them()
    {
        var put = new PutObjectRequest
        {
            BucketName = "bucket",
            Key = "key",
            ContentBody = "text",
            IfNoneMatch = "*",
            ChecksumAlgorithm = ChecksumAlgorithm.CRC32C,
        };
        Assert.NotNull((await client.PutObjectAsync(put)).ChecksumCRC32C);
        Assert.Equal("PreconditionFailed", (await Assert.ThrowsAsync<AmazonS3Exception>(() => client.PutObjectAsync(put))).ErrorCode);
        await client.PutObjectTaggingAsync(
            new() { BucketName = "bucket", Key = "key", Tagging = new() { TagSet = [new() { Key = "a", Value = "b" }] } });
        Assert.Equal("b", (await client.GetObjectTaggingAsync(new() { BucketName = "bucket", Key = "key" })).Tagging[0].Value);
        await client.CopyObjectAsync("bucket", "key", "bucket", "other");
        var list = await client.ListObjectsV2Async(new() { BucketName = "bucket" });
        Assert.Equal(["key", "other"], list.S3Objects.Select(one => one.Key));
        var url = await client.GetPreSignedURLAsync(
            new() { BucketName = "bucket", Key = "key", Expires = DateTime.UtcNow.AddMinutes(5), Protocol = Protocol.HTTP });
        using var http = new HttpClient();
        Assert.Equal("text", await http.GetStringAsync(url));
        await client.DeleteObjectsAsync(new() { BucketName = "bucket", Objects = [new() { Key = "key" }, new() { Key = "other" }] });
        await client.DeleteBucketAsync("bucket");
    }
}
