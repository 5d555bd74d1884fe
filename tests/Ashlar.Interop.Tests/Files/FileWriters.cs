using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Files;

/// <summary>Clients who put, replace, delete and upload in parts, each with keys of its own, until the server is gone.</summary>
sealed class FileWriters : IDisposable
{
    const string Bucket = "bucket";
    const int Keys = 12;

    readonly AmazonS3Client client;
    readonly FileLedger ledger;
    readonly CancellationTokenSource end = new();
    readonly Task[] writers;
    int answered;

    public FileWriters(AshlarProcess server, FileLedger ledger, ulong seed)
    {
        this.ledger = ledger;
        client = Connect(server);
        writers =
        [
            .. Enumerable.Range(0, 4)
                .Select(writer => Task.Run(() => RunAsync(writer, new Random((int)(seed * 31 % 65521) + writer)))),
        ];
    }

    public static AmazonS3Client Connect(AshlarProcess server)
    {
        var (id, secret) = server.FirstKey;
        return new(new BasicAWSCredentials(id, secret), new AmazonS3Config
        {
            ServiceURL = server.S3Url,
            ForcePathStyle = true,
            AuthenticationRegion = "us-east-1",
            MaxErrorRetry = 0,
            Timeout = TimeSpan.FromMinutes(1),
        });
    }

    public Task WaitUntilAnsweredAsync(int least) => Waiting.UntilAsync(
        () => Volatile.Read(ref answered) >= least || writers.Any(static one => one.IsCompleted), $"{least} requests are answered");

    /// <summary>The server is gone, or as good as gone. How many requests were answered.</summary>
    public async Task<int> EndAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(writers);
        return answered;
    }

    public void Dispose()
    {
        end.Dispose();
        client.Dispose();
    }

    async Task RunAsync(int writer, Random random)
    {
        try
        {
            await client.PutBucketAsync(Bucket);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "BucketAlreadyOwnedByYou")
        {
            // Somebody was first.
        }
        catch (Exception e) when (IsGone(e))
        {
            return;
        }

        while (!end.IsCancellationRequested)
        {
            var key = $"{writer}/{random.Next(Keys)}";
            var isDeletion = random.Next(5) == 0;
            var content = new byte[random.Next(4) switch { 0 => random.Next(4096), 1 => random.Next(6 << 20), _ => random.Next(200_000) }];
            random.NextBytes(content);
            var hash = isDeletion ? null : FileLedger.Hash(content);
            ledger.Asked($"{Bucket}/{key}", hash);
            try
            {
                if (isDeletion) await client.DeleteObjectAsync(Bucket, key, end.Token);
                else if (content.Length > (5 << 20)) await PutPartsAsync(key, content);
                else
                    await client.PutObjectAsync(
                        new() { BucketName = Bucket, Key = key, InputStream = new MemoryStream(content) }, end.Token);
                ledger.Answered($"{Bucket}/{key}", hash);
                Interlocked.Increment(ref answered);
            }
            catch (Exception e) when (IsGone(e))
            {
                return; // Whether it was done nobody knows.
            }
        }
    }

    async Task PutPartsAsync(string key, byte[] content)
    {
        var upload = (await client.InitiateMultipartUploadAsync(Bucket, key, end.Token)).UploadId;
        var done = new List<PartETag>();
        for (var (number, at) = (1, 0); at < content.Length; number++, at += 5 << 20)
        {
            done.Add(new(number, (await client.UploadPartAsync(
                new()
                {
                    BucketName = Bucket,
                    Key = key,
                    UploadId = upload,
                    PartNumber = number,
                    InputStream = new MemoryStream(content, at, Math.Min(5 << 20, content.Length - at)),
                },
                end.Token)).ETag));
        }

        await client.CompleteMultipartUploadAsync(new() { BucketName = Bucket, Key = key, UploadId = upload, PartETags = done }, end.Token);
    }

    // What the server itself refuses is a failure of the test; that it is gone is not.
    static bool IsGone(Exception e) => e is OperationCanceledException or HttpRequestException or IOException or AmazonClientException
        || (e is AmazonServiceException refused && (int)refused.StatusCode == 0)
        || (e.InnerException is { } inner && IsGone(inner));
}
