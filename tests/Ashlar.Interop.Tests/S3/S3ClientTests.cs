using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>Programs that others have written for S3, as they are.</summary>
public sealed class S3ClientTests : IAsyncLifetime
{
    S3Store store = null!;
    S3Client client = null!;

    public async Task InitializeAsync()
    {
        store = await S3Store.StartAsync();
        client = new(store);
    }

    public async Task DisposeAsync()
    {
        var failures = store.Failures.ToArray();
        await store.DisposeAsync();
        Assert.Empty(failures);
    }

    [FactIfTool("aws")]
    public async Task The_AWS_command_line_copies_synchronises_lists_presigns_and_removes()
    {
        var tree = client.CreateTree();
        client.Aws("s3", "mb", "s3://bucket");
        client.Aws("s3", "sync", tree, "s3://bucket/tree", "--only-show-errors");
        store.TakeUploads();
        Assert.Equal("", client.Aws("s3", "sync", tree, "s3://bucket/tree").Trim());
        Assert.Equal(0, store.TakeUploads());
        client.Aws("s3", "sync", "s3://bucket/tree", $"{store.Work}/back", "--only-show-errors");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/back");
        Assert.Contains("PRE a b/", client.Aws("s3", "ls", "s3://bucket/tree/"), StringComparison.Ordinal);
        client.Aws("s3", "cp", $"{tree}/parts", "s3://bucket/one", "--only-show-errors");
        client.Aws("s3", "cp", "s3://bucket/one", "s3://bucket/two", "--only-show-errors");
        client.Aws("s3", "mv", "s3://bucket/two", "s3://bucket/three", "--only-show-errors");
        Assert.Contains("9437184 three", client.Aws("s3", "ls", "s3://bucket/three"), StringComparison.Ordinal);
        var url = client.Aws("s3", "presign", "s3://bucket/tree/a b/c+d & e=f%20 'g' é").Trim();
        using var http = new HttpClient();
        Assert.Equal("content", await http.GetStringAsync(url));
        client.Aws("s3", "rm", "s3://bucket", "--recursive", "--only-show-errors");
        client.Aws("s3", "rb", "s3://bucket");
        Assert.Equal("", client.Aws("s3", "ls").Trim());
    }

    [FactIfTool("rclone")]
    public void Rclone_copies_checks_lists_and_synchronises()
    {
        var tree = client.CreateTree();
        client.Rclone("copy", tree, "ashlar:bucket/tree");
        client.Rclone("check", tree, "ashlar:bucket/tree");
        store.TakeUploads();
        client.Rclone("sync", tree, "ashlar:bucket/tree");
        Assert.Equal(0, store.TakeUploads());
        var listed = client.Rclone("lsf", "-R", "--files-only", "ashlar:bucket/tree").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Directory.GetFiles(tree, "*", SearchOption.AllDirectories).Length, listed.Length);
        File.WriteAllText($"{tree}/new", "new");
        File.Delete($"{tree}/empty");
        client.Rclone("sync", tree, "ashlar:bucket/tree");
        client.Rclone("check", "--download", tree, "ashlar:bucket/tree");
        File.SetLastWriteTimeUtc($"{tree}/new", DateTime.UnixEpoch);
        client.Rclone("copy", tree, "ashlar:bucket/tree"); // Only the time differs: the object is copied onto itself.
        Assert.Contains("1970-01-01", client.Rclone("lsl", "ashlar:bucket/tree/new"), StringComparison.Ordinal);
        client.Rclone("purge", "ashlar:bucket");
    }

    [FactIfTool("s3cmd")]
    public void S3cmd_puts_gets_lists_informs_and_removes()
    {
        var tree = client.CreateTree(20);
        client.S3Cmd("mb", "s3://bucket");
        client.S3Cmd("sync", tree + "/", "s3://bucket/tree/");
        store.TakeUploads();
        client.S3Cmd("sync", tree + "/", "s3://bucket/tree/");
        Assert.Equal(0, store.TakeUploads());
        Directory.CreateDirectory($"{store.Work}/back");
        client.S3Cmd("sync", "s3://bucket/tree/", $"{store.Work}/back/");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/back");
        Assert.Contains("s3://bucket/tree/a b/", client.S3Cmd("ls", "s3://bucket/tree/"), StringComparison.Ordinal);
        Assert.Contains("Location:  us-east-1", client.S3Cmd("info", "s3://bucket"), StringComparison.Ordinal);
        Assert.Contains("File size: 9437184", client.S3Cmd("info", "s3://bucket/tree/parts"), StringComparison.Ordinal);
        client.S3Cmd("cp", "s3://bucket/tree/parts", "s3://bucket/copy");
        client.S3Cmd("rm", "--recursive", "--force", "s3://bucket");
        client.S3Cmd("rb", "s3://bucket");
    }

    [FactIfTool("boto3")]
    public void Boto3_uploads_in_parts_on_conditions_with_tags_and_by_forms()
    {
        Assert.Equal("done", client.Python("""
            import boto3, os, io, urllib.request, hashlib
            from botocore.config import Config
            from botocore.exceptions import ClientError
            s3 = boto3.client('s3', endpoint_url=os.environ['ENDPOINT'], region_name='us-east-1', config=Config(
                signature_version='s3v4', s3={'addressing_style': 'path'}))
            def fails(code, call, **arguments):
                try: call(**arguments)
                except ClientError as e: assert e.response['Error']['Code'] == code, e
                else: assert False, code
            s3.create_bucket(Bucket='bucket')
            fails('NoSuchKey', s3.get_object, Bucket='bucket', Key='none')
            content = os.urandom(12 << 20)
            s3.upload_fileobj(io.BytesIO(content), 'bucket', 'big', ExtraArgs={'Metadata': {'a': 'b'}, 'ContentType': 'text/x'})
            got = s3.get_object(Bucket='bucket', Key='big')
            assert got['Body'].read() == content and got['Metadata'] == {'a': 'b'} and got['ContentType'] == 'text/x'
            target = io.BytesIO(); s3.download_fileobj('bucket', 'big', target); assert target.getvalue() == content
            assert s3.get_object(Bucket='bucket', Key='big', Range='bytes=5-9')['Body'].read() == content[5:10]
            for i in range(25): s3.put_object(Bucket='bucket', Key='many/%02d' % i, Body=b'x' * i)
            keys = [o['Key'] for p in s3.get_paginator('list_objects_v2').paginate(
                Bucket='bucket', Prefix='many/', PaginationConfig={'PageSize': 7}) for o in p['Contents']]
            assert keys == ['many/%02d' % i for i in range(25)], keys
            versions = s3.list_object_versions(Bucket='bucket')['Versions']
            assert len(versions) == 26 and all(v['VersionId'] == 'null' for v in versions)
            s3.put_object_tagging(Bucket='bucket', Key='big', Tagging={'TagSet': [{'Key': 'k', 'Value': 'v & w'}]})
            assert s3.get_object_tagging(Bucket='bucket', Key='big')['TagSet'] == [{'Key': 'k', 'Value': 'v & w'}]
            s3.copy({'Bucket': 'bucket', 'Key': 'big'}, 'bucket', 'copy')
            assert hashlib.md5(s3.get_object(Bucket='bucket', Key='copy')['Body'].read()).digest() == hashlib.md5(content).digest()
            s3.put_object(Bucket='bucket', Key='sum', Body=b'abc', ChecksumAlgorithm='SHA256')
            assert 'ChecksumSHA256' in s3.head_object(Bucket='bucket', Key='sum', ChecksumMode='ENABLED')
            if 'IfNoneMatch' in s3.meta.service_model.operation_model('PutObject').input_shape.members:
                fails('PreconditionFailed', s3.put_object, Bucket='bucket', Key='sum', Body=b'', IfNoneMatch='*')
            url = s3.generate_presigned_url('put_object', {'Bucket': 'bucket', 'Key': 'presigned'})
            urllib.request.urlopen(urllib.request.Request(url, data=b'by url', method='PUT', headers={'Content-Type': ''}))
            assert s3.get_object(Bucket='bucket', Key='presigned')['Body'].read() == b'by url'
            post = s3.generate_presigned_post('bucket', 'form', Conditions=[['content-length-range', 1, 100]])
            body = b''.join(b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
                k.encode(), v.encode()) for k, v in post['fields'].items())
            body += b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nby form\r\n--x--\r\n'
            urllib.request.urlopen(
                urllib.request.Request(post['url'], data=body, headers={'Content-Type': 'multipart/form-data; boundary=x'}))
            assert s3.get_object(Bucket='bucket', Key='form')['Body'].read() == b'by form'
            keys = [{'Key': o['Key']} for o in s3.list_objects(Bucket='bucket')['Contents']]
            assert not s3.delete_objects(Bucket='bucket', Delete={'Objects': keys}).get('Errors')
            s3.delete_bucket(Bucket='bucket')
            fails('NoSuchBucket', s3.list_objects_v2, Bucket='bucket')
            print('done')
            """).Trim());
    }

    [FactIfTool("restic")]
    public void Restic_backs_up_checks_prunes_and_restores()
    {
        var tree = client.CreateTree();
        client.Restic("init");
        client.Restic("backup", tree);
        File.WriteAllText($"{tree}/more", "more");
        client.Restic("backup", tree);
        client.Restic("check", "--read-data");
        client.Restic("forget", "--keep-last", "1", "--prune");
        client.Restic("check", "--read-data");
        client.Restic("restore", "latest", "--target", $"{store.Work}/restored");
        S3Client.AssertEqualTrees(tree, $"{store.Work}/restored{tree}");
    }

    [FactIfTool("s3fs", "aws")]
    public void S3fs_mounts_a_bucket()
    {
        if (!File.Exists("/dev/fuse")) return;
        client.Aws("s3", "mb", "s3://bucket");
        var mount = Directory.CreateDirectory($"{store.Work}/mount").FullName;
        string[] options = ["-o", $"url={store.Url}", "-o", "use_path_request_style", "-o", $"passwd_file={store.Work}/s3fs", "-o",
            "endpoint=us-east-1"];
        var mounted = client.Run("s3fs", ["bucket", mount, .. options]);
        if (mounted.ExitCode != 0) return; // Not every machine lets a test mount.
        try
        {
            Directory.CreateDirectory($"{mount}/a/b");
            File.WriteAllBytes($"{mount}/a/b/c", S3Client.Content(100_000));
            File.Move($"{mount}/a/b/c", $"{mount}/a/d");
            Assert.Equal(S3Client.Content(100_000), File.ReadAllBytes($"{mount}/a/d"));
            Assert.Equal(
                ["b", "d"], Directory.EnumerateFileSystemEntries($"{mount}/a").Select(Path.GetFileName).Order(StringComparer.Ordinal));
            File.Delete($"{mount}/a/d");
            Directory.Delete($"{mount}/a/b");
        }
        finally
        {
            ExternalTool.Run("umount", mount);
        }
    }
}
