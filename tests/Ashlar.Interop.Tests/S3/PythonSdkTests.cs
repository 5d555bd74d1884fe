using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>boto3: that of the distribution, and a new one, which sends and wants checksums that nobody has asked for.</summary>
public sealed class PythonSdkTests : IAsyncLifetime
{
    const string Program = """
        import base64, boto3, hashlib, io, os, urllib.request, zlib
        from botocore.config import Config
        from botocore.exceptions import ClientError, MissingDependencyException
        s3 = boto3.client('s3', endpoint_url=os.environ['ENDPOINT'], region_name='us-east-1', config=Config(
            signature_version='s3v4', s3={'addressing_style': 'path'}))
        def fails(code, call, **arguments):
            try: call(**arguments)
            except ClientError as e: assert e.response['Error']['Code'] == code, e
            else: assert False, code
        # From 1.36 on each body has a CRC32 that nobody asked for, and what comes back is verified.
        def checksums():
            s3.create_bucket(Bucket='sums')
            def head(key): return s3.head_object(Bucket='sums', Key=key, ChecksumMode='ENABLED')
            def crc(content): return base64.b64encode(zlib.crc32(content).to_bytes(4, 'big')).decode()
            content = os.urandom(3 << 20)
            for name, body in (('bytes', content), ('stream', io.BytesIO(content)), ('file', open(write(content), 'rb'))):
                answer = s3.put_object(Bucket='sums', Key=name, Body=body)
                assert answer['ChecksumCRC32'] == crc(content) and answer['ChecksumType'] == 'FULL_OBJECT', answer
                assert head(name)['ChecksumCRC32'] == crc(content)
                got = s3.get_object(Bucket='sums', Key=name)
                assert got['Body'].read() == content and got['ChecksumCRC32'] == crc(content)
            parts = os.urandom(17 << 20)
            s3.upload_fileobj(io.BytesIO(parts), 'sums', 'parts')
            assert s3.get_object(Bucket='sums', Key='parts')['Body'].read() == parts and 'ChecksumCRC32' in head('parts'), head('parts')
            s3.copy({'Bucket': 'sums', 'Key': 'parts'}, 'sums', 'copy')
            assert s3.get_object(Bucket='sums', Key='copy')['Body'].read() == parts
            fails('BadDigest', s3.put_object, Bucket='sums', Key='wrong', Body=b'abc', ChecksumCRC32=crc(b'abd'))
            fails('NoSuchKey', s3.get_object, Bucket='sums', Key='wrong')
            s3.put_object(Bucket='sums', Key='if', Body=b'1', IfNoneMatch='*')
            fails('PreconditionFailed', s3.put_object, Bucket='sums', Key='if', Body=b'2', IfNoneMatch='*')
            tag = head('if')['ETag']
            s3.put_object(Bucket='sums', Key='if', Body=b'3', IfMatch=tag)
            fails('PreconditionFailed', s3.put_object, Bucket='sums', Key='if', Body=b'4', IfMatch=tag)
            for sdk_name in ('CRC32C', 'CRC64NVME'):
                try: s3.put_object(Bucket='sums', Key=sdk_name, Body=content, ChecksumAlgorithm=sdk_name)
                except MissingDependencyException: continue # awscrt is not installed everywhere.
                assert 'Checksum' + sdk_name in head(sdk_name)
            keys = [{'Key': o['Key']} for o in s3.list_objects_v2(Bucket='sums')['Contents']]
            assert not s3.delete_objects(Bucket='sums', Delete={'Objects': keys}).get('Errors')
            s3.delete_bucket(Bucket='sums')
        def write(content):
            path = os.environ['S3_WORK'] + '/body'
            with open(path, 'wb') as file: file.write(content)
            return path
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
        if hasattr(s3.meta.config, 'request_checksum_calculation'): checksums()
        print('done')
        """;

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

    [FactIfTool("boto3")]
    public void Boto3_uploads_in_parts_on_conditions_with_tags_and_by_forms() => Assert.Equal("done", client.Python(Program).Trim());

    [FactIfTool(LanguageSdks.NewBoto3)]
    public void A_new_boto3_does_the_same_with_checksums() => Assert.Equal("done", client.Python(Program, isNew: true).Trim());
}
