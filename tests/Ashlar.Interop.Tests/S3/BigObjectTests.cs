using System.Text.Json;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.S3;

/// <summary>An object of 640 MiB, or a GiB, goes up in parts and comes back equal, and the server has little memory for it.</summary>
public sealed class BigObjectTests(ITestOutputHelper output)
{
    const int PieceBytes = 16 << 20;

    /// <summary>Of the whole process, program and runtime included.</summary>
    const long MostMemoryBytes = 512 << 20;

    static readonly int Pieces = TestTier.Choose(40, 64);

    [FactIfTool("rclone")]
    public void Rclone() => Run("rclone", (client, from, to) =>
    {
        client.Rclone("mkdir", "ashlar:bucket");
        client.Rclone("copyto", from, "ashlar:bucket/big", "--s3-chunk-size", "16M", "--s3-upload-concurrency", "4");
        client.Rclone("copyto", "ashlar:bucket/big", to);
    });

    [FactIfTool("aws")]
    public void The_AWS_command_line() => RunIfDeep("aws", (client, from, to) =>
    {
        client.Aws("s3", "mb", "s3://bucket");
        client.Aws("s3", "cp", from, "s3://bucket/big", "--only-show-errors");
        client.Aws("s3", "cp", "s3://bucket/big", to, "--only-show-errors");
    });

    [FactIfTool(LanguageSdks.AwsJavaScript)]
    public void The_SDK_for_JavaScript() => RunIfDeep("aws-sdk-js", (client, from, to) => client.Node($$"""
        const fs = require('fs'), { pipeline } = require('stream/promises');
        const S3 = require('@aws-sdk/client-s3'), { Upload } = require('@aws-sdk/lib-storage');
        const s3 = new S3.S3Client({ endpoint: process.env.ENDPOINT, region: 'us-east-1', forcePathStyle: true });
        (async () => {
            await s3.send(new S3.CreateBucketCommand({ Bucket: 'bucket' }));
            const params = { Bucket: 'bucket', Key: 'big', Body: fs.createReadStream('{{from}}', { highWaterMark: 1 << 20 }) };
            await new Upload({ client: s3, params, partSize: 16 << 20, queueSize: 4 }).done();
            const got = await s3.send(new S3.GetObjectCommand({ Bucket: 'bucket', Key: 'big' }));
            await pipeline(got.Body, fs.createWriteStream('{{to}}'));
        })().catch(error => { console.error(error); process.exit(1); });
        """));

    void RunIfDeep(string name, Action<S3Client, string, string> transfer)
    {
        if (TestTier.IsDeep) Run(name, transfer); // Each takes a quarter of a minute.
    }

    void Run(string name, Action<S3Client, string, string> transfer)
    {
        using var served = new S3Process();
        var (from, to) = ($"{served.Work}/from", $"{served.Work}/to");
        var begun = System.Diagnostics.Stopwatch.StartNew();
        using (var file = File.Create(from))
        {
            for (var piece = 0; piece < Pieces; piece++) file.Write(S3Client.Content(PieceBytes, seed: piece));
        }

        transfer(served.Client, from, to);
        ExternalTool.Run("cmp", from, to).MustSucceed();
        var peak = served.Server.PeakMemoryBytes;
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "big object",
            client = name,
            mebibytes = Pieces * (PieceBytes >> 20),
            serverPeakMebibytes = peak >> 20,
            seconds = (int)begun.Elapsed.TotalSeconds,
        }));
        Assert.InRange(peak, 1, MostMemoryBytes);
    }
}
