using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>The AWS SDK for JavaScript, which sends streams in unsigned chunks with a trailer, over plain HTTP too.</summary>
public sealed class JavaScriptSdkTests : IAsyncLifetime
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

    [FactIfTool(LanguageSdks.AwsJavaScript)]
    public void Buffers_streams_and_parts_go_up_and_all_else_is_as_the_SDK_knows_it() => Assert.Equal("done", client.Node("""
        const assert = require('assert'), crypto = require('crypto'), fs = require('fs'), zlib = require('zlib');
        const { Readable } = require('stream');
        const S3 = require('@aws-sdk/client-s3');
        const { Upload } = require('@aws-sdk/lib-storage');
        const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');
        const s3 = new S3.S3Client({ endpoint: process.env.ENDPOINT, region: 'us-east-1', forcePathStyle: true });
        const sent = [];
        s3.middlewareStack.add(next => arguments_ => {
            sent.push(arguments_.request.headers['x-amz-content-sha256']);
            return next(arguments_);
        }, { step: 'deserialize', priority: 'low' });
        const Bucket = 'bucket';
        const call = (name, input) => s3.send(new S3[name + 'Command']({ Bucket, ...input }));
        const read = async (Key, more) => Buffer.from(await (await call('GetObject', { Key, ...more })).Body.transformToByteArray());
        const fails = (name, what) => assert.rejects(what, error => error.name === name || assert.fail(`${error.name} instead of ${name}`));

        (async () => {
            await call('CreateBucket');
            const content = crypto.randomBytes(3 << 20);
            const put = await call('PutObject', { Key: 'buffer', Body: content, Metadata: { a: 'b' }, ContentType: 'text/x' });
            assert(put.ChecksumCRC32);
            fs.writeFileSync(process.env.S3_WORK + '/body', content);
            sent.length = 0;
            const streamed = await call('PutObject', { Key: 'stream', Body: fs.createReadStream(process.env.S3_WORK + '/body') });
            assert.deepEqual(sent, ['STREAMING-UNSIGNED-PAYLOAD-TRAILER']);
            assert.equal(streamed.ChecksumCRC32, put.ChecksumCRC32);
            await call('PutObject', {
                Key: 'stream of a length', Body: Readable.from([content.subarray(0, 100000), content.subarray(100000)]),
                ContentLength: content.length, ChecksumAlgorithm: 'SHA256' });
            for (const key of ['buffer', 'stream', 'stream of a length']) assert((await read(key)).equals(content), key);
            assert((await read('stream', { Range: 'bytes=5-9' })).equals(content.subarray(5, 10)));
            const head = await call('HeadObject', { Key: 'buffer', ChecksumMode: 'ENABLED' });
            assert.equal(head.ContentLength, content.length);
            assert.equal(head.ContentType, 'text/x');
            assert.deepEqual(head.Metadata, { a: 'b' });
            assert.equal(head.ChecksumCRC32, put.ChecksumCRC32);
            await call('PutObject', { Key: 'empty', Body: '' });
            assert.equal((await read('empty')).length, 0);
            await fails('BadDigest', call('PutObject', { Key: 'wrong', Body: 'abc', ChecksumCRC32: put.ChecksumCRC32 }));
            await fails('NoSuchKey', read('wrong'));

            const parts = crypto.randomBytes(18 << 20);
            await new Upload({ client: s3, params: { Bucket, Key: 'parts', Body: Readable.from(parts) }, partSize: 5 << 20 }).done();
            assert((await read('parts')).equals(parts));
            assert((await read('parts', { PartNumber: 2 })).equals(parts.subarray(5 << 20, 10 << 20)));
            await new Upload({ client: s3, params: { Bucket, Key: 'parts', Body: parts, ChecksumAlgorithm: 'CRC32C' } }).done();
            assert((await read('parts')).equals(parts));
            const given = new Upload({ client: s3, params: { Bucket, Key: 'given up', Body: Readable.from(parts) } });
            given.on('httpUploadProgress', () => given.abort());
            await fails('AbortError', given.done());
            await fails('NoSuchKey', read('given up'));

            for (let i = 0; i < 25; i++) await call('PutObject', { Key: `many/${String(i).padStart(2, '0')} é+%`, Body: 'x' });
            const keys = [], prefixes = [];
            for await (const page of S3.paginateListObjectsV2({ client: s3, pageSize: 7 }, { Bucket, Prefix: 'many/' }))
                keys.push(...page.Contents.map(one => one.Key));
            assert.deepEqual(keys, [...Array(25).keys()].map(i => `many/${String(i).padStart(2, '0')} é+%`));
            for await (const page of S3.paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Delimiter: '/' }))
                prefixes.push(...(page.CommonPrefixes ?? []).map(one => one.Prefix));
            assert.deepEqual(prefixes, ['many/']);

            await call('PutObject', { Key: 'if', Body: '1', IfNoneMatch: '*' });
            await fails('PreconditionFailed', call('PutObject', { Key: 'if', Body: '2', IfNoneMatch: '*' }));
            const { ETag } = await call('HeadObject', { Key: 'if' });
            await call('PutObject', { Key: 'if', Body: '3', IfMatch: ETag });
            await fails('PreconditionFailed', call('PutObject', { Key: 'if', Body: '4', IfMatch: ETag }));
            assert.equal((await read('if')).toString(), '3');

            await call('CopyObject', { Key: 'copy', CopySource: `${Bucket}/many/${encodeURIComponent('03 é+%')}` });
            assert.equal((await read('copy')).toString(), 'x');
            await call('PutObjectTagging', { Key: 'copy', Tagging: { TagSet: [{ Key: 'k', Value: 'v & w' }] } });
            assert.deepEqual((await call('GetObjectTagging', { Key: 'copy' })).TagSet, [{ Key: 'k', Value: 'v & w' }]);

            const url = (name, input) => getSignedUrl(s3, new S3[name + 'Command']({ Bucket, ...input }), { expiresIn: 60 });
            const by = await fetch(await url('PutObject', { Key: 'by url' }), { method: 'PUT', body: 'by url' });
            assert.equal(by.status, 200, await by.text());
            assert.equal(await (await fetch(await url('GetObject', { Key: 'by url' }))).text(), 'by url');
            assert.equal((await fetch((await url('GetObject', { Key: 'by url' })).replace('by%20url', 'copy'))).status, 403);

            const all = (await call('ListObjectsV2')).Contents.map(one => ({ Key: one.Key }));
            const deleted = await call('DeleteObjects', { Delete: { Objects: all } });
            assert.equal(deleted.Deleted.length, all.length);
            await call('DeleteBucket');
            await fails('NoSuchBucket', call('ListObjectsV2'));
            console.log('done');
        })().catch(error => { console.error(error); process.exit(1); });
        """).Trim());
}
